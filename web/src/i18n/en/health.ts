export default {
  tabs: { label: 'Health', board: 'Board', alarms: 'Alarms', recordings: 'Recordings', osd: 'OSD', clocks: 'Clocks', exclusions: 'Exclusions', reports: 'Reports' },
}
