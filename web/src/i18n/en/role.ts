export default {
  township_admin: 'Township admin',
  operator: 'Operator',
  village_admin: 'Village admin',
  maintainer: 'Maintainer',
  leader: 'Leader',
  contractor: 'Contractor',
}
