export default {
  place: '乡镇综合治理中心',
  username: '用户名',
  password: '密码',
  go: '登录',
  busy: '正在登录…',
  paused: '登录失败次数过多，请在 {time} 后再试，或请镇管理员重设密码。',
  both: '请输入用户名和密码。',
  setup_needed: '系统尚未初始化。请打开服务端启动时显示的一次性设置链接，创建第一个管理员账号；链接过期时重新启动服务即得新链接。',
  old_password: '原密码',
  new_password: '新密码',
  password_changed: '密码已修改',
}
