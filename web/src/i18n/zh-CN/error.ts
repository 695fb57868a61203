/** By kind, for errors without a reason of their own; see camera_hub/errors.py. */
export default {
  invalid: '填写的内容有误',
  unauthenticated: '请先登录',
  forbidden: '当前账号没有此项权限',
  not_found: '没有找到，可能已被删除',
  conflict: '内容已被他人更改，请刷新后重试',
  too_large: '内容过大',
  busy: '操作过于频繁，请稍后再试',
  unsupported: '不支持',
  unreachable: '无法连接设备',
  timeout: '等待超时',
  unavailable: '服务暂不可用',
  storage_full: '服务器磁盘已满',
  internal: '服务器内部错误，请联系运维人员',
  network: '无法连接服务器，请检查网络',
  aborted: '已取消',
}
