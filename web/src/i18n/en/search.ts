export default {
  title: 'Find a camera',
  placeholder: 'Camera, village, or pinyin initials',
  none: 'No camera matches',
  help: 'Enter opens it on the wall · ↑↓ choose · Esc closes',
}
