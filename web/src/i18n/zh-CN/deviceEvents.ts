export default {
  title: '设备上报',
  hint: '由设备自行判断并上报，只涉及画面和设备，不涉及人员',
  times: '{n} 次',
  lasts: '持续中',
  kind: { motion: '画面变动', tamper: '遮挡/移位', video_loss: '视频丢失', picture: '画面过暗/过亮/模糊', hardware: '设备硬件' },
}
