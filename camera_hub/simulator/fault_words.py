"""What each fault does, in one sentence in English and one in Chinese, for `simulate --help` and the control port."""

from dataclasses import dataclass

from camera_hub.simulator.faults import DEFAULT_VALUES, Fault


@dataclass(frozen=True, slots=True)
class Words:
    """One fault's sentence in both languages."""

    en: str
    zh: str


WORDS = {
    Fault.DEAD: Words(
        "Connections are refused and open ones cut; a channel has no picture.", "拒绝连接并切断已有连接；通道无画面。"
    ),
    Fault.VILLAGE_DOWN: Words(
        "As if the cable were pulled: nothing is refused, nothing answers.", "如同网线被拔：不拒绝，也不应答。"
    ),
    Fault.HALF_OPEN: Words("Connections are accepted, then silence.", "接受连接，之后一言不发。"),
    Fault.FLAPPING: Words("Alternately dead and alive; value: seconds of each phase.", "时断时通；值：每段的秒数。"),
    Fault.SLEEPING: Words(
        "A solar camera that sleeps: nothing answers but for some hours around noon by its own clock; value: how many.",
        "太阳能摄像机定时休眠：只在正午前后若干小时内应答（按其自身时钟）；值：每天唤醒的小时数。",
    ),
    Fault.SLOW_DRIP: Words("One byte a second.", "每秒只发一个字节。"),
    Fault.WRONG_PASSWORD: Words("The known password is refused.", "拒绝已知的密码。"),
    Fault.DIGEST_ONLY: Words("ONVIF refuses UsernameToken.", "ONVIF 拒绝 UsernameToken，只认 HTTP 摘要认证。"),
    Fault.TOKEN_ONLY: Words("ONVIF refuses HTTP Digest.", "ONVIF 拒绝 HTTP 摘要认证，只认 UsernameToken。"),
    Fault.CLOCK_SKEW: Words("The device's clock is wrong; value: by how many seconds.", "设备时钟有偏差；值：秒数。"),
    Fault.BARE_401: Words(
        "A signed request is refused by a bare 401 without a challenge (P1); with wrong_password.",
        "已签名的请求被拒时只回 401、不带认证头（P1），与 wrong_password 合用。",
    ),
    Fault.NEW_NONCE: Words(
        "Another nonce is asked for in mid-session, without stale, and nc counts per nonce (case 07); value: seconds,"
        " 0: for each request.",
        "会话中途更换 nonce 且不带 stale，nc 按 nonce 严格计数（案例 07）；值：间隔秒数，0 为每次请求。",
    ),
    Fault.REALM_WITH_BASIC: Words(
        "The Digest challenge's realm is 'Gate, Basic line' (case 08).", "摘要认证的 realm 含有 “, Basic”（案例 08）。"
    ),
    Fault.DEVICE_FULL: Words("RTSP 453: no more sessions.", "RTSP 453：取流路数已满。"),
    Fault.ONVIF_OFF: Words(
        "ONVIF answers 404; RTSP and the vendor's HTTP interface work.", "ONVIF 返回 404，其余正常。"
    ),
    Fault.VENDOR_HTTP_OFF: Words(
        "The vendor's HTTP interface answers 404; RTSP and ONVIF work.", "厂家 HTTP 接口返回 404，其余正常。"
    ),
    Fault.NOT_ACTIVATED: Words(
        "Never activated: it has no password yet, and says so in its vendor's words.",
        "设备未激活（未初始化），按厂家的说法拒绝一切登录。",
    ),
    Fault.LOCKED: Words(
        "Locked out after wrong logins: the right one is refused too; value: for how many seconds.",
        "因多次输错密码被锁定，正确的密码也不接受；值：锁定秒数。",
    ),
    Fault.TOO_MANY_CONNECTIONS: Words(
        "Too many connections, in its vendor's codes: HTTP 503, RTSP 453 or 503.",
        "连接数已满，按厂家的错误码应答：HTTP 503，RTSP 453 或 503。",
    ),
    Fault.SHARED_SERIAL: Words("Its serial number is that of every unit.", "序列号与同款所有设备相同。"),
    Fault.SHARED_MAC: Words("Its MAC address is that of every unit.", "MAC 地址与同款所有设备相同。"),
    Fault.SHARED_ENDPOINT: Words("Its endpoint UUID is that of every unit.", "端点 UUID 与同款所有设备相同。"),
    Fault.REDIRECT: Words("RTSP and HTTP 302 to another address.", "RTSP 与 HTTP 302 跳转到别的地址。"),
    Fault.GIANT_REPLY: Words("A Content-Length of 1.5 GB.", "应答声称有 1.5 GB。"),
    Fault.NAT_XADDR: Words("It names the addresses that it has behind its router.", "报出路由器后面的内网地址。"),
    Fault.FORWARDED_PORTS: Words(
        "Reachable through its village's router alone, at forwarded ports (P6); switch it for a village.",
        "只能经本村路由器的转发端口访问（P6），宜对整村设置。",
    ),
    Fault.LOGIN_FOR_ALL: Words(
        "Every ONVIF call needs a login, else 401 with a SOAP fault (P6).",
        "所有 ONVIF 调用都要登录，否则 401 加 SOAP 错误（P6）。",
    ),
    Fault.LOGIN_HIDDEN: Words(
        "Without a login every ONVIF call gets 404 and an empty body (case 23).",
        "未登录时 ONVIF 一律返回空的 404（案例 23）。",
    ),
    Fault.NO_CLOCK: Words(
        "GetSystemDateAndTime is answered by a fault (case 21); value: the status.",
        "GetSystemDateAndTime 返回错误（案例 21）；值：状态码。",
    ),
    Fault.LOCAL_TIME_ONLY: Words(
        "The clock is told as LocalDateTime with TZ=CST-8 alone (case 22).", "只报本地时间与 CST-8 时区（案例 22）。"
    ),
    Fault.UTC_IS_LOCAL: Words(
        "UTCDateTime holds local time; tokens are judged by true UTC (case 22).",
        "UTCDateTime 填的是本地时间，令牌却按真 UTC 校验（案例 22）。",
    ),
    Fault.SOAP_11: Words("Replies come in the SOAP 1.1 envelope (case 24).", "应答使用 SOAP 1.1 信封（案例 24）。"),
    Fault.UNDECLARED_PREFIX: Words("The prefix tt: is not declared (case 25).", "前缀 tt: 未声明（案例 25）。"),
    Fault.BROKEN_UTF8: Words("Names hold bytes that are not UTF-8 (case 25).", "名称含非 UTF-8 字节（案例 25）。"),
    Fault.TRAILING_NUL: Words("A NUL follows the XML (case 25).", "XML 之后跟着 NUL 字节（案例 25）。"),
    Fault.GB2312: Words(
        "Declared GB2312, with a letter that only GBK has (case 26).", "声明为 GB2312，却含 GBK 才有的字（案例 26）。"
    ),
    Fault.LONG_CONTENT_LENGTH: Words(
        "Content-Length is longer than the body, and the line stays open (case 27); value: by how many bytes.",
        "Content-Length 大于实际正文，且连接不断（案例 27）；值：多出的字节数。",
    ),
    Fault.URI_TWO_PORTS: Words("URIs have two ports (case 28).", "返回的地址有两个端口（案例 28）。"),
    Fault.URI_PADDED: Words("Blanks and line breaks around URIs (case 28).", "返回的地址前后有空白与换行（案例 28）。"),
    Fault.URI_MAPPED_HOST: Words(
        "URIs with an IPv4-mapped host without brackets (case 11).", "地址中为不带方括号的 ::ffff: 主机（案例 11）。"
    ),
    Fault.LOGIN_IN_PATH: Words(
        "Stream URIs hold the login in their path, which RTSP takes (case 29).",
        "取流地址的路径中带有用户名和密码，RTSP 凭此放行（案例 29）。",
    ),
    Fault.TLS_ONLY: Words(
        "Plain HTTP is redirected to HTTPS of the same host (case 30).", "HTTP 一律跳转到本机 HTTPS（案例 30）。"
    ),
    Fault.TLS_XADDR: Words("Service addresses are https:// (case 30).", "服务地址为 https://（案例 30）。"),
    Fault.ONLINE_CHANNELS_ONLY: Words(
        "A recorder lists only channels that are not dead (case 34); with dead on a channel.",
        "录像机只列出在线通道（案例 34），与通道的 dead 合用。",
    ),
    Fault.OFFICE_DEVICE: Words(
        "It answers probes as an office computer (case 32).", "以办公电脑的身份应答搜索（案例 32）。"
    ),
    Fault.RELATES_TO_ODD: Words(
        "RelatesTo without its urn: prefix and in other case (case 32).",
        "RelatesTo 不带 urn: 且大小写不同（案例 32）。",
    ),
    Fault.STRAY_AROUND_XML: Words(
        "Stray bytes around the XML of discovery replies (case 32).", "搜索应答的 XML 前后有杂散字节（案例 32）。"
    ),
    Fault.GBK_TITLES: Words(
        "The vendor's HTTP interface answers in GBK, whatever it declares.", "厂家 HTTP 接口不论声明什么都用 GBK 应答。"
    ),
    Fault.GBK_SCOPES: Words(
        "Discovery scopes in GBK, declared UTF-8 (case 26).", "搜索应答的 scope 用 GBK 编码却声明 UTF-8（案例 26）。"
    ),
    Fault.NO_EVENTS: Words("It lists no event service.", "不提供事件服务。"),
    Fault.ABSOLUTE_TIMES: Words(
        "Subscriptions to events take a time by its clock, not a duration.", "事件订阅只接受绝对时间，不接受时长。"
    ),
    Fault.SHORT_PULLS: Words(
        "A pull longer than ten seconds is refused, and pulling does not renew a subscription.",
        "拒绝超过十秒的拉取，且拉取不会续订。",
    ),
    Fault.TCP_REFUSED: Words("RTSP over UDP only.", "RTSP 只允许 UDP。"),
    Fault.CSEQ_ZERO: Words("Replies say CSeq: 0 (case 01).", "应答的 CSeq 总是 0（案例 01）。"),
    Fault.CSEQ_BEFORE: Words("Replies bear the CSeq before (case 01).", "应答的 CSeq 是前一个（案例 01）。"),
    Fault.CSEQ_MISSING: Words("Replies bear no CSeq (case 01).", "应答没有 CSeq（案例 01）。"),
    Fault.BLANK_HEADER_LINE: Words(
        "A header line of one blank among the headers (case 02).", "头部中有一行只含空格（案例 02）。"
    ),
    Fault.PLAY_REFUSES_SLASH: Words(
        "PLAY on a URL that ends with a slash is refused (case 04); value: the status.",
        "拒绝对带尾斜杠的地址 PLAY（案例 04）；值：状态码。",
    ),
    Fault.PLAY_SESSION_URL: Words(
        "PLAY and TEARDOWN only on the session's own control URL (case 04); value: the status otherwise.",
        "只接受对会话级 control 地址的 PLAY 与 TEARDOWN（案例 04）；值：否则返回的状态码。",
    ),
    Fault.OPTIONS_FIRST: Words(
        "DESCRIBE before any OPTIONS is refused (case 05); value: the status, 0 silence, -1 closed.",
        "未先发 OPTIONS 的 DESCRIBE 被拒（案例 05）；值：状态码，0 为不应答，-1 为断开。",
    ),
    Fault.KEEP_ALIVE_GET_PARAMETER: Words(
        "Only GET_PARAMETER keeps the session alive, as Public says (P5); value: the time-out in seconds.",
        "只有 GET_PARAMETER 能保活，Public 中列出（P5）；值：超时秒数。",
    ),
    Fault.KEEP_ALIVE_UNLISTED: Words(
        "Only GET_PARAMETER keeps the session alive, but Public does not list it (case 06); value: the time-out.",
        "只有 GET_PARAMETER 能保活，但 Public 未列出（案例 06）；值：超时秒数。",
    ),
    Fault.KEEP_ALIVE_OPTIONS: Words(
        "Only OPTIONS keeps the session alive; GET_PARAMETER ends the connection (case 06); value: the time-out.",
        "只有 OPTIONS 能保活，GET_PARAMETER 会断开连接（案例 06）；值：超时秒数。",
    ),
    Fault.KEEP_ALIVE_RTCP: Words(
        "Only RTCP keeps the session alive; any request while it plays ends the connection (case 06); "
        "value: the time-out.",
        "只有 RTCP 能保活，播放中的任何请求都会断开连接（案例 06）；值：超时秒数。",
    ),
    Fault.SDP_BARE: Words("The whole SDP is one m= line and its attributes (case 09).", "SDP 只有媒体行（案例 09）。"),
    Fault.SDP_TWO_TYPES: Words(
        "The m= line names an unknown payload type first, and blanks stand in rtpmap (case 10).",
        "媒体行先列未知载荷类型，rtpmap 中有多余空格（案例 10）。",
    ),
    Fault.CODEC_UNNAMED: Words("The SDP does not name the codec (P8).", "SDP 不写明编码（P8）。"),
    Fault.CONTENT_BASE_ODD: Words(
        "Content-Base names the inner address, without port and slash (case 11).",
        "Content-Base 为内网地址，无端口、无斜杠（案例 11）。",
    ),
    Fault.MULTICAST_ONLY: Words("SETUP is refused but for multicast (P8).", "只接受组播取流（P8）。"),
    Fault.TLS_PORT: Words(
        "The RTSP port speaks TLS, and RTSP within it (P8).", "RTSP 端口其实是 TLS，其内才是 RTSP（P8）。"
    ),
    Fault.WEB_SERVER: Words("A web server listens at the RTSP port (P8).", "RTSP 端口其实是网页服务（P8）。"),
    Fault.THIN: Words("Over TCP each session is limited; value: bit/s.", "TCP 取流带宽受限；值：bit/s。"),
    Fault.NO_KEY_FRAME: Words("Key frames are never sent.", "从不发送关键帧。"),
    Fault.B_FRAMES: Words("The stream has B frames.", "码流含 B 帧。"),
    Fault.STRAY_BYTES: Words(
        "3 to 20 stray bytes between interleaved frames (case 03); value: every how many pictures.",
        "交织帧之间夹杂 3～20 个杂散字节（案例 03）；值：每多少帧一次。",
    ),
    Fault.FOREIGN_PAYLOAD: Words(
        "Packets of a private payload type in the same SSRC and numbering (case 13); "
        "value: after how many packets, 0: one per picture.",
        "同一 SSRC、同一序号中夹有私有载荷类型的包（案例 13）；值：每多少个包一个，0 为每帧一个。",
    ),
    Fault.EMPTY_PACKETS: Words(
        "Packets without payload and with padding alone, each with its number (case 14).",
        "夹有无载荷包与纯填充包，各占一个序号（案例 14）。",
    ),
    Fault.SSRC_RESTARTS: Words(
        "Another SSRC and sequence number 0 at each key frame (case 15).", "每个关键帧更换 SSRC，序号归零（案例 15）。"
    ),
    Fault.SEQUENCE_RESTARTS: Words(
        "Sequence number 0 at each key frame, with the same SSRC (case 15).",
        "每个关键帧序号归零，SSRC 不变（案例 15）。",
    ),
    Fault.JOINED_KEY_FRAME: Words(
        "Parameter sets and key picture are one NAL unit with start codes inside (case 17).",
        "参数集与关键帧合在一个含起始码的 NAL 单元里（案例 17）。",
    ),
    Fault.STANDING_CLOCK: Words("RTP timestamp 0 in every packet (case 18).", "每个包的 RTP 时间戳都是 0（案例 18）。"),
    Fault.PAIRED_TIMESTAMPS: Words(
        "Every two pictures share one RTP timestamp (case 18).", "每两帧共用一个 RTP 时间戳（案例 18）。"
    ),
    Fault.NO_MARKER: Words("The marker bit is never set (case 18).", "从不置 marker 位（案例 18）。"),
    Fault.LOST_PACKETS: Words(
        "Packets are lost on the way; value: one of so many.", "途中丢包；值：每多少个包丢一个。"
    ),
    Fault.INTRA_REFRESH: Words(
        "H.264 with intra refresh: recovery points instead of key frames (cases 20, P7); value: seconds between IDRs.",
        "H.264 帧内刷新（Smart 编码）：以恢复点代替关键帧（案例 20、P7）；值：IDR 间隔秒数。",
    ),
    Fault.PTZ_IGNORES_TIMEOUT: Words(
        "A continuous move goes on until it is told to stop, whatever Timeout says (case 39).",
        "连续转动无视 Timeout，不叫停就一直转（案例 39）。",
    ),
    Fault.PTZ_FAULTS_ON_STOP: Words(
        "Stop is answered by a fault and changes nothing; a move with velocity zero stops it (case 39).",
        "对 Stop 返回错误且不停，只有零速度的移动能让它停下（案例 39）。",
    ),
    Fault.PTZ_FAULTS_ON_TIMEOUT: Words(
        "A continuous move that names a Timeout is refused; one without goes on until it is told to stop (case 39).",
        "拒绝带 Timeout 的连续转动，不带的则一直转到叫停（案例 39）。",
    ),
    Fault.PTZ_NO_ABSOLUTE: Words(
        "It has no absolute moves and does not tell its position.", "不支持绝对移动，也不报告当前位置。"
    ),
    Fault.PTZ_NO_RELATIVE: Words("It has no relative moves.", "不支持相对移动。"),
    Fault.PTZ_NO_PRESETS: Words("It has no presets.", "不支持预置位。"),
    Fault.PTZ_NO_HOME: Words("It has no home position.", "没有看守位（Home 位置）。"),
    Fault.PTZ_DUPLICATE_NAMES: Words(
        "Every second preset bears the name of the one before it; value 1: every token is listed twice, too.",
        "预置位两两同名；值为 1 时每个令牌也列两次。",
    ),
    Fault.PTZ_MOVES_BY_ITSELF: Words(
        "It pans to and fro by itself; value: after how many seconds without a command.",
        "无人操作时自行左右转动；值：多少秒无命令后开始。",
    ),
    Fault.PTZ_SLOW: Words("Every PTZ call is answered late; value: seconds.", "云台命令应答迟缓；值：秒数。"),
    Fault.SETTINGS_REFUSED: Words(
        "Setting anything is refused; value: 0 not supported, 1 not authorized.",
        "拒绝一切参数设置；值：0 为不支持，1 为无权限。",
    ),
    Fault.SETTINGS_IGNORED: Words(
        "Setting anything is answered by OK and changes nothing.", "设置参数都答成功，实际不变。"
    ),
    Fault.CLOCK_LIES: Words(
        "A time that is set is accepted, then the clock is as wrong as before; value: after how many seconds.",
        "校时答成功，随后时钟又回到原来的偏差；值：多少秒后。",
    ),
    Fault.OSD_READONLY: Words(
        "Texts in the picture are told, but cannot be set.", "画面叠加文字（OSD）只能读取，不能设置。"
    ),
    Fault.ENCODER_RANGES: Words(
        "Encoder values outside its options are refused instead of being bent to fit.",
        "编码参数超出可选范围时拒绝，而不是自动取近似值。",
    ),
    Fault.LOW_FPS: Words("Few frames per second; value: how many.", "帧率很低；值：每秒帧数。"),
    Fault.BLACK: Words("The picture is black but for its caption.", "画面全黑，只有字幕。"),
    Fault.BLUE_SCREEN: Words(
        "The picture is one blue but for its caption, as of a channel without input.",
        "蓝屏，只有字幕，如同通道无输入。",
    ),
    Fault.NO_SIGNAL: Words("A slate that says 无视频信号 (no signal).", "画面为“无视频信号”提示。"),
    Fault.COLOUR_BARS: Words("Colour bars instead of a picture.", "画面为彩条。"),
    Fault.OSD_OTHER_NAME: Words("The name in the picture is another camera's.", "画面上的名称是别的点位的。"),
    Fault.OSD_NO_NAME: Words("There is no name in the picture.", "画面上没有名称。"),
    Fault.OSD_NO_TIME: Words("There is no time in the picture.", "画面上没有时间。"),
    Fault.NO_RECORDING: Words(
        "Nothing is recorded; value: since how many hours, 0: there is no recording at all.",
        "没有录像；值：停录了多少小时，0 为从未录像。",
    ),
    Fault.RECORDING_GAPS: Words(
        "A part of each day is not recorded; value: how many hours.", "每天缺一段录像；值：缺多少小时。"
    ),
    Fault.RECORDING_SHORT: Words(
        "Recordings are kept for a few days only; value: how many.", "录像保存天数不足；值：保存多少天。"
    ),
    Fault.DISK_FAILED: Words(
        "Disk or card has failed and says so, nothing is recorded since; value: since how many hours.",
        "硬盘（存储卡）故障，之后没有录像；值：故障了多少小时。",
    ),
    Fault.RECORDING_ON_EVENTS: Words(
        "Recorded on events alone: ten minutes of each hour, and the schedule says so.",
        "只在有事件时录像：每小时十分钟，录像计划也如此。",
    ),
    Fault.RECORDING_LIES: Words(
        "Searches of recordings are answered by nonsense; value: 0 answers that never end, 1 recordings of the future.",
        "查询录像时乱答；值：0 为结果永无止境，1 为给出未来的录像。",
    ),
    Fault.NO_SEARCH: Words("ONVIF has no search of recordings.", "ONVIF 不提供录像检索。"),
    Fault.NO_EVENT_SEARCH: Words(
        "ONVIF tells the oldest and the newest recording, and nothing between.",
        "ONVIF 只给出最早和最晚的录像，中间情况不提供。",
    ),
    Fault.FROZEN: Words("The picture stands still, clock and all.", "画面连同时钟冻结。"),
    Fault.FROZEN_WITH_CLOCK: Words(
        "The picture stands still, the clock in it runs on.", "画面冻结，但叠加的时钟照走。"
    ),
    Fault.COVERED: Words(
        "A cloth hangs over the lens; value: over which share of the picture (1: all).",
        "镜头被布遮挡；值：遮住画面的比例（1 为全部）。",
    ),
    Fault.OVEREXPOSED: Words("Far too bright; value: by how many stops.", "画面过亮（过曝）；值：过曝几档。"),
    Fault.UNDEREXPOSED: Words("Far too dark; value: by how many stops.", "画面过暗（欠曝）；值：欠曝几档。"),
    Fault.BLURRED: Words(
        "Out of focus; value: standard deviation of the blur in thousandths of the width.",
        "画面模糊（失焦）；值：模糊的标准差，以画面宽度的千分之一计。",
    ),
    Fault.LOW_CONTRAST: Words(
        "A fogged or dirty dome; value: share of the contrast that is left.",
        "护罩起雾或脏污，对比度很低；值：剩余对比度的比例。",
    ),
    Fault.COLOUR_CAST: Words(
        "A pink cast, as of a stuck infrared filter; value: chroma levels.",
        "偏色（发粉，如滤光片卡住）；值：色度级数。",
    ),
    Fault.NOISY: Words(
        "Snow over the picture; value: standard deviation in luma levels.", "雪花噪声；值：亮度标准差（级）。"
    ),
    Fault.STRIPED: Words(
        "Bands of interference roll through the picture; value: luma levels.", "滚动的条纹干扰；值：亮度级数。"
    ),
    Fault.MOVED: Words(
        "The camera was turned: another view of the same place; value: by which share of the picture's width.",
        "摄像机被转动，朝向改变；值：转过画面宽度的比例。",
    ),
    Fault.INFRARED: Words(
        "Night, lit by the camera's infrared lamp: grey, and no fault.", "红外夜视画面（黑白），不是故障。"
    ),
    Fault.RAIN: Words("It rains; no fault.", "下雨，不是故障。"),
    Fault.INSECTS: Words("Night, with insects at the lamp; no fault.", "夜间灯前飞虫，不是故障。"),
    Fault.HEADLIGHTS: Words(
        "Night, with a car whose headlights dazzle the camera; no fault.", "夜间对向车灯炫光，不是故障。"
    ),
}


def listed() -> str:
    """All faults as lines of text."""
    lines = []
    for fault, words in WORDS.items():
        value = f" (default {DEFAULT_VALUES[fault]:g})" if fault in DEFAULT_VALUES else ""
        lines += [f"  {fault.value}{value}", f"      {words.en}", f"      {words.zh}"]
    return "\n".join(lines)
