export default {
  state: { running: '正在处理', done: '已完成', cancelled: '已取消', failed: '处理中断，请重试' },
  counts: '{done} / {total}',
  failed: '{n} 个未成功',
  untried: '{n} 个未处理，保持原样',
  cancel: '取消',
  cancelling: '正在停止…',
  lost: '本次处理的记录已不在（系统重启过，或已超过一小时）；请刷新页面查看当前状态',
  showAll: '显示全部 {n} 个',
}
