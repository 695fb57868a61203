export default {
  title: '村/小区',
}
