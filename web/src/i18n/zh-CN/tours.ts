export default {
  title: '视频巡查',
}
