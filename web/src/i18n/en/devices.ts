export default {
  title: 'Devices',
}
