/** Exactly why, where an error names it (its parameter `why`); the reason's own words serve everybody else. */
export default {
  address_refused: {
    not_an_address: 'IP 地址的写法不规范，应形如 192.168.1.64',
    unspecified: '这是未指定地址，请填写设备自己的地址',
    multicast: '这是组播地址，请填写设备自己的地址',
    link_local: '这是链路本地地址，跨网络不可达，请给设备设置本网络的地址',
    broadcast: '这是广播地址，请填写设备自己的地址',
    reserved: '这是保留地址，请填写设备自己的地址',
    embedded: '这个 IPv6 地址内嵌 IPv4 地址，请直接填写该 IPv4 地址',
    port: '端口应为 1 到 65535',
    loopback: '这是本平台所在的机器自身，请填写设备自己的地址',
    own_address: '这是本平台自己的地址，请填写设备自己的地址',
    own_service: '这是本平台自己的端口，请填写设备自己的地址和端口',
  },
  bad_url: {
    too_long: '码流地址过长（最多 512 个字符）',
    characters: '码流地址里有空格、换行或非英文字符',
    scheme: '码流地址应以 rtsp:// 或 rtsps:// 开头',
    backslash: '码流地址里有反斜杠',
    no_host: '码流地址里没有主机',
    host: '码流地址里的主机不是摄像机可用的地址',
    login: '账号密码后面找不到主机；请把用户名和密码填到各自的栏里',
    two_ways: '无法确定哪里是密码、哪里是主机；请把用户名和密码填到各自的栏里',
    login_characters: '账号里有设备不接受的字符',
    path_characters: '码流路径里有换行或控制字符',
    unreadable: '码流地址无法识别',
  },
}
