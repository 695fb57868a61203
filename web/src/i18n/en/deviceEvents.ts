export default {
  title: 'Reported by the device',
  hint: 'judged by the device itself; about pictures and devices, never persons',
  times: '{n} times',
  lasts: 'still lasting',
  kind: { motion: 'Motion', tamper: 'Covered or moved', video_loss: 'Video lost', picture: 'Too dark, bright or blurred', hardware: 'Hardware' },
}
