export default {
  key_road: '重点路段',
  key_unit: '重点单位',
  high_incidence: '案件高发区域',
  entrance: '村口',
  school: '学校',
  water: '水域',
  forest: '林区',
  field: '田间',
  square: '广场',
  other: '其他',
}
