export default {
  title: '查找摄像机',
  placeholder: '名称、村名或拼音首字母',
  none: '没有符合的摄像机',
  help: '回车在实时预览中打开 · ↑↓ 选择 · Esc 关闭',
}
