"""Code tables of the ledger: stored value → (Chinese word, English word, other words that sheets use).

Sources: GB/T 28181 Annex A and D (camera type, direction, room, light, network), the county's template "one camera one
file" (point type, function, position, state), State Council Order 799 (legal basis).
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CodeWord:
    """What one code means; `also`: other words for it that are read, but not written."""

    zh: str
    en: str
    also: tuple[str, ...] = ()


Codes = Mapping[str, CodeWord]

POINT_TYPES: Codes = {
    "1": CodeWord("一类视频监控点", "class 1", ("一类", "一类点", "一类点位", "I类", "Ⅰ类")),
    "2": CodeWord("二类视频监控点", "class 2", ("二类", "二类点", "二类点位", "II类", "Ⅱ类")),
    "3": CodeWord("三类视频监控点", "class 3", ("三类", "三类点", "三类点位", "III类", "Ⅲ类")),
    "4": CodeWord("公安内部视频监控点", "police internal", ("公安内部", "内部")),
    "9": CodeWord("其他", "other", ("其它",)),
}
PRESENT: Codes = {"0": CodeWord("无", "no", ("否", "没有")), "1": CodeWord("有", "yes", ("是",))}
CAMERA_TYPES: Codes = {
    "1": CodeWord("球机", "dome (PTZ)", ("高速球", "球型摄像机", "球形摄像机", "球")),
    "2": CodeWord("半球", "half dome", ("半球机", "半球摄像机")),
    "3": CodeWord("固定枪机", "fixed bullet", ("枪机", "枪型摄像机", "枪", "筒机")),
    "4": CodeWord("遥控枪机", "PTZ bullet", ("云台枪机",)),
    "5": CodeWord("遥控半球", "PTZ half dome"),
    "6": CodeWord("多目设备的全景/拼接通道", "multi-lens panorama", ("全景", "多目", "全景摄像机")),
    "7": CodeWord("多目设备的分割通道", "multi-lens part"),
    "99": CodeWord("其他", "other", ("其它",)),
}
FUNCTIONS: Codes = {
    "1": CodeWord("车辆卡口", "vehicle checkpoint", ("卡口",)),
    "2": CodeWord("人员卡口", "pedestrian checkpoint"),
    "3": CodeWord("微卡口", "micro checkpoint"),
    "4": CodeWord("特征摄像机", "feature camera"),
    "5": CodeWord("普通监控", "ordinary monitoring", ("普通", "视频监控", "普通视频监控")),
    "6": CodeWord("高空瞭望摄像机", "high lookout", ("高空瞭望", "高点监控", "高空")),
    "99": CodeWord("其他", "other", ("其它",)),
}
ENCODINGS: Codes = {
    "1": CodeWord("MPEG-4", "MPEG-4", ("MPEG4",)),
    "2": CodeWord("H.264", "H.264", ("H264", "AVC")),
    "3": CodeWord("SVAC", "SVAC"),
    "4": CodeWord("H.265", "H.265", ("H265", "HEVC")),
}
LIGHTS: Codes = {
    "1": CodeWord("无补光", "none", ("无",)),
    "2": CodeWord("红外补光", "infrared", ("红外",)),
    "3": CodeWord("白光补光", "white light", ("白光",)),
    "4": CodeWord("激光补光", "laser", ("激光",)),
    "9": CodeWord("其他", "other", ("其它",)),
}
ROOMS: Codes = {"1": CodeWord("室外", "outdoors", ("户外",)), "2": CodeWord("室内", "indoors", ("户内",))}
DIRECTIONS: Codes = {
    "1": CodeWord("东", "east", ("朝东", "向东", "东向", "由西向东", "西向东")),
    "2": CodeWord("西", "west", ("朝西", "向西", "西向", "由东向西", "东向西")),
    "3": CodeWord("南", "south", ("朝南", "向南", "南向", "由北向南", "北向南")),
    "4": CodeWord("北", "north", ("朝北", "向北", "北向", "由南向北", "南向北")),
    "5": CodeWord("东南", "south-east", ("朝东南", "向东南")),
    "6": CodeWord("东北", "north-east", ("朝东北", "向东北")),
    "7": CodeWord("西南", "south-west", ("朝西南", "向西南")),
    "8": CodeWord("西北", "north-west", ("朝西北", "向西北")),
    "9": CodeWord("全向", "all around", ("全方位", "全景", "360度")),
}
NETWORKED: Codes = {"0": CodeWord("已联网", "connected"), "1": CodeWord("未联网", "not connected")}
NETWORKS: Codes = {
    "1": CodeWord("公安视频传输网", "police video network", ("视频专网", "公安视频专网", "公安视频网")),
    "2": CodeWord("行业专网", "industry network", ("专网",)),
    "3": CodeWord("政法信息网", "political and legal network", ("政法网",)),
    "4": CodeWord("公安移动信息网", "police mobile network"),
    "5": CodeWord("公安信息网", "police information network", ("公安网",)),
    "6": CodeWord("电子政务外网", "e-government extranet", ("政务外网",)),
    "7": CodeWord("互联网", "internet", ("公网", "互联网等公共网络")),
    "8": CodeWord("专线", "dedicated line", ("运营商专线",)),
}
SERVICE_STATES: Codes = {
    "in_use": CodeWord("在用", "in use", ("1", "正常", "使用中", "启用")),
    "repair": CodeWord("维修", "under repair", ("2", "维修中", "故障")),
    "removed": CodeWord("拆除", "removed", ("3", "已拆除", "报废", "停用")),
}
AREAS: Codes = {
    "1": CodeWord("省际检查站", "inter-provincial checkpoint"),
    "2": CodeWord("党政机关", "party and government offices"),
    "3": CodeWord("车站码头", "stations and docks", ("车站", "码头")),
    "4": CodeWord("中心广场", "central square", ("广场",)),
    "5": CodeWord("体育场馆", "stadium"),
    "6": CodeWord("商业中心", "commercial centre", ("商场",)),
    "7": CodeWord("宗教场所", "religious place"),
    "8": CodeWord("校园周边", "around schools", ("学校", "校园", "学校周边")),
    "9": CodeWord("治安复杂区域", "area of complex security"),
    "10": CodeWord("交通干线", "traffic artery", ("道路", "主干道", "路口")),
    "11": CodeWord("医院周边", "around hospitals", ("医院",)),
    "12": CodeWord("金融机构周边", "around banks", ("银行", "金融机构")),
    "13": CodeWord("危险物品场所周边", "around hazardous goods", ("危险品场所",)),
    "14": CodeWord("博物馆展览馆", "museum, exhibition hall"),
    "15": CodeWord("重点水域、航道", "key waters and waterways", ("重点水域", "水域", "航道")),
    "96": CodeWord("市际公安检查站", "inter-city checkpoint"),
    "97": CodeWord("涉外场所", "places of foreign affairs"),
    "98": CodeWord("边境沿线", "along the border"),
    "99": CodeWord("旅游景区", "tourist area", ("景区",)),
}
ACCESS_KINDS: Codes = {
    "leased_line": CodeWord("运营商专线", "leased line", ("专线", "裸光纤", "光纤专线", "MPLS")),
    "vpn": CodeWord("VPN", "VPN", ("虚拟专网", "IPSEC")),
    "port_mapping": CodeWord("端口映射", "port mapping", ("映射", "公网映射", "宽带")),
    "mobile": CodeWord("4G/5G", "4G/5G", ("4G", "5G", "无线", "移动网络", "4G路由器")),
    "cloud": CodeWord("运营商云平台", "operator's cloud platform", ("云平台", "天翼云眼", "和慧眼", "云视频")),
}
LEGAL_BASES: Codes = {
    "art7_gov": CodeWord("第七条第一款：政府建设", "Article 7: built by government", ("政府建设",)),
    "art7_operator": CodeWord("第七条第二款：经营管理单位建设", "Article 7: built by the operator", ("经营单位建设",)),
    "art9_other": CodeWord("第九条：其他公共场所", "Article 9: other public places", ("其他公共场所",)),
}
FILING_STATES: Codes = {
    "not_filed": CodeWord("未备案", "not filed"),
    "submitted": CodeWord("已提交", "submitted", ("已申报",)),
    "filed": CodeWord("已备案", "filed", ("备案完成",)),
}
DATUMS: Codes = {
    "wgs84": CodeWord("WGS-84", "WGS-84", ("WGS84", "GPS", "国际坐标", "84")),
    "gcj02": CodeWord(
        "GCJ-02（高德、腾讯）", "GCJ-02 (AMap, Tencent)", ("GCJ02", "GCJ-02", "火星坐标", "高德", "腾讯")
    ),
    "bd09": CodeWord("BD-09（百度）", "BD-09 (Baidu)", ("BD09", "BD-09", "百度", "百度坐标")),
}
YES: Codes = {"yes": CodeWord("已确认", "confirmed", ("是", "1", "确认"))}
