export default {
  title: '巡查记录',
}
