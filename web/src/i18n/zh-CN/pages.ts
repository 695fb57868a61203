export default {
  failed: '读取失败',
  loading: '正在读取',
  all: '全部',
  more: '更多操作',
  none: '无',
  unreadable: '无法读取',
  span: {
    s: '{s} 秒',
    ms: '{m} 分 {s} 秒',
    m: '{m} 分钟',
    h: '{h} 小时',
    hm: '{h} 小时 {m} 分',
    d: '{d} 天',
    dh: '{d} 天 {h} 小时',
  },
}
