"""Findings as an .xlsx sheet. Pure, but for the process that writes it."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo

from camera_hub.patrol.proof.finding_list import FindingView
from camera_hub.sheets.writing import WrittenColumn, write_xlsx

MOST_ROWS = 5000

_COLUMNS = (
    WrittenColumn("编号", 8),
    WrittenColumn("时间", 20, as_time=True),
    WrittenColumn("村 / 小区", 16, as_text=True),
    WrittenColumn("点位", 24, as_text=True, wraps=True),
    WrittenColumn("类别", 14, as_text=True),
    WrittenColumn("情况", 48, as_text=True, wraps=True),
    WrittenColumn("巡查路线", 24, as_text=True, wraps=True),
    WrittenColumn("巡查编号", 10),
    WrittenColumn("发现人", 12, as_text=True),
    WrittenColumn("画面", 8, as_text=True),
    WrittenColumn("照片", 8, as_text=True),
)


def finding_sheet(findings: Sequence[FindingView], categories: Mapping[str, tuple[str, str]], zone: tzinfo) -> bytes:
    """The findings in the order given, times of the site's `zone`. `categories`: Chinese and English words by code; one
    that the settings no longer have is shown by its code."""
    return write_xlsx(
        _COLUMNS,
        (
            (
                one.id,
                one.at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"),
                one.village,
                one.camera,
                categories.get(one.category, (one.category, ""))[0],
                one.words,
                one.tour_name,
                one.run_id,
                one.user_name,
                "有" if one.picture_url else "无",
                "有" if one.photo_url else "",
            )
            for one in findings
        ),
        sheet="发现问题",
    )
