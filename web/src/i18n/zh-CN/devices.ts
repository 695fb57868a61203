export default {
  title: '设备',
}
