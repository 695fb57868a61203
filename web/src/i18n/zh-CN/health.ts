export default {
  tabs: { label: '运行监测', board: '总览', alarms: '告警', recordings: '录像', osd: '字幕', clocks: '时钟', exclusions: '剔除', reports: '报表' },
}
