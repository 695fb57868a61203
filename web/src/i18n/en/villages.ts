export default {
  title: 'Villages',
}
