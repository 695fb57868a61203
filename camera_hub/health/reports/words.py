"""What each figure is called and how it is computed, in words, in both languages. Pure.

The same words stand on the page, on the printed report and in the sheet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class FigureWords:
    """`unit`: cameras | time (microseconds) | seconds | fields | repairs | mean (microseconds for each repair)."""

    unit: str
    zh: str
    en: str
    zh_formula: str
    en_formula: str


def _time(zh: str, en: str, zh_well: str, en_well: str, more_zh: str = "") -> FigureWords:
    return FigureWords(
        "time",
        zh,
        en,
        f"{zh_well}的时长之和 ÷ 应计时长之和。应计时长 = 在用时长 − 未知时长（平台停机、中心出口中断或尚未检查）"
        f"；剔除后再减去已批准剔除的时长。{more_zh}",
        f"Time {en_well} ÷ time that counts, summed over cameras. What counts is the time in use, without what is "
        "not known (hub stopped, its own uplink cut, not looked at yet); after exclusions also without excluded "
        "time.",
    )


def _spot(zh: str, en: str, zh_well: str, en_well: str) -> FigureWords:
    return FigureWords(
        "cameras",
        zh,
        en,
        f"统计期末时刻{zh_well}的路数 ÷ 此刻在用且状态已知的路数；剔除后不含此刻处于剔除中的摄像机。",
        f"Cameras {en_well} at the last moment of the span ÷ cameras in use whose state is known then; after "
        "exclusions "
        "without those that are excluded then.",
    )


_MEDIA = ("取得关键帧", "giving pictures")
_INTACT = ("取得关键帧且画面正常", "giving pictures without a picture fault")

WORDS: Final[Mapping[str, FigureWords]] = {
    "connected": FigureWords(
        "cameras",
        "接入率",
        "Connected",
        "已接入路数 ÷ 应接入路数。应接入 = 统计期末在用（已审核、未停用）；已接入 = 其中至少出过一次画面；"
        "剔除后不含此刻处于剔除中的。",
        "Cameras from which a picture has ever come ÷ cameras in use (approved, not retired) at the end of the "
        "span; after "
        "exclusions without those that are excluded then.",
    ),
    "online_time": _time(
        "在线率（按时长）", "Online, by duration", *_MEDIA, more_zh="在线以取得关键帧为准，不以能否 Ping 通为准。"
    ),
    "online_spot": _spot("在线率（按时点）", "Online, spot", *_MEDIA),
    "intact_time": _time("完好率（按时长）", "Intact, by duration", *_INTACT),
    "intact_spot": _spot("完好率（按时点）", "Intact, spot", *_INTACT),
    "recording_time": _time("录像正常率（按时长）", "Recording well, by duration", "录像正常", "with recording well"),
    "recording_spot": _spot("录像正常率（按时点）", "Recording well, spot", "录像正常", "with recording well"),
    "recording_days": FigureWords(
        "cameras",
        "录像保存达标率",
        "Recordings kept long enough",
        "统计期末录像保存天数达到要求（默认 30 天）的路数 ÷ 此刻在用且录像状态已知的路数。",
        "Cameras whose recordings are kept for the days that are due (30 by default) at the end of the span ÷ "
        "cameras in use "
        "whose recording state is known then.",
    ),
    "recording_amount": FigureWords(
        "seconds",
        "录像完整率",
        "Recording completeness",
        "各路各日已录时长之和 ÷ 应录时长之和（设备录像检索结果）；剔除后不含有剔除时段的日子。",
        "Seconds recorded ÷ seconds due, over cameras and days, as devices tell; after exclusions without days on "
        "which the "
        "camera was excluded, even for a time.",
    ),
    "clock_time": _time("时钟准确率（按时长）", "Clock right, by duration", "时钟准确", "with the clock right"),
    "clock_spot": _spot("时钟准确率（按时点）", "Clock right, spot", "时钟准确", "with the clock right"),
    "osd_time": _time(
        "字幕合规率（按时长）", "OSD compliant, by duration", "字幕合规", "with name and time shown as due"
    ),
    "osd_spot": _spot("字幕合规率（按时点）", "OSD compliant, spot", "字幕合规", "with name and time shown as due"),
    "ledger": FigureWords(
        "fields",
        "档案完整率",
        "Ledger completeness",
        "统计期末在用摄像机已填的必填项 ÷ 应填的必填项（之后的修改已回退）。",
        "Mandatory fields that are filled in ÷ those that are asked, of cameras in use at the end of the span; later "
        "changes are taken back.",
    ),
    "repair_time": FigureWords(
        "mean",
        "平均修复时长",
        "Mean time to repair",
        "统计期内修复的故障，从告警产生到恢复的时长之和 ÷ 故障件数；剔除后扣除剔除时长。并入上级告警的、"
        "因剔除或停用而关闭的不计。",
        "Of faults repaired in the span: time from the alarm's opening until it was well again ÷ number of "
        "faults; after "
        "exclusions without excluded time. Alarms that another took over, or that closed because of an exclusion or "
        "retirement, do not count.",
    ),
    "repair_in_time": FigureWords(
        "repairs",
        "修复及时率",
        "Repaired in time",
        "时限内修复的件数 ÷ 统计期内到期的件数（期内修复，或期内超过时限的，各计一次）。时限按告警级别设定；"
        "剔除后剔除时长不计入时限。",
        "Faults repaired within the hours set for their severity ÷ faults decided in the span: each once, when it is "
        "repaired or when it becomes overdue. After exclusions excluded time does not run against it.",
    ),
}
"""By figures.FIGURES, in their order."""

RANKING_ZH: Final = (
    "村（小区）按“{figure}”剔除后的数值从高到低排名；百分比向下取到两位小数，显示相同的并列，其后名次顺延（1、2、"
    "2、4）；"
    "没有在用摄像机的、没有已知数据的不参加排名。"
)
RANKING_EN: Final = (
    'Villages are ranked by "{figure}" after exclusions, the highest first. Percentages are rounded down to '
    "hundredths; those "
    "that read the same share a place, and the next places are left out (1, 2, 2, 4). Villages without cameras in "
    "use, or of "
    "which nothing is known, are not ranked."
)
CHANGES_ZH: Final = (
    "报表每次由保存的状态区间重新计算，同一统计期再次查询结果相同。"
    "只有下列情况会改变已结束统计期的数值：事后批准或提前结束的剔除；"
    "设备事后重新检索的录像天数；修改修复时限设置；超过保存期限的状态已被清除。"
)
CHANGES_EN: Final = (
    "A report is computed anew from stored intervals each time, and says the same when it is asked for again. Of "
    "a span that "
    "is over only these change it: exclusions approved or ended afterwards; recordings that devices list "
    "differently later; "
    "another setting of repair times; states that are older than they are kept."
)
