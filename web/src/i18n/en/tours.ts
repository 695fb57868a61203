export default {
  title: 'Tours',
}
