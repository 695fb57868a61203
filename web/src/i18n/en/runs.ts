export default {
  title: 'Runs',
}
