export default {
  title: 'Users',
}
