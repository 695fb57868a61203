export default {
  key_road: 'Key road section',
  key_unit: 'Key unit',
  high_incidence: 'High-incidence area',
  entrance: 'Village entrance',
  school: 'School',
  water: 'Water',
  forest: 'Woodland',
  field: 'Fields',
  square: 'Square',
  other: 'Other',
}
