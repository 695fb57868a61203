export default {
  title: 'Alarms',
}
