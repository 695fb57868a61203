export default {
  township_admin: '镇管理员',
  operator: '值班员',
  village_admin: '村管理员',
  maintainer: '运维人员',
  leader: '领导',
  contractor: '施工单位',
}
