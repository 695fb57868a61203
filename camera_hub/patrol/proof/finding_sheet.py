"""Findings as an .xlsx sheet. Pure, but for the process that writes it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo

from camera_hub.patrol.proof.finding_list import FindingView
from camera_hub.sheets.language import Said, SheetLanguage, said
from camera_hub.sheets.writing import WrittenColumn, write_xlsx

MOST_ROWS = 5000

_COLUMNS = (
    (("编号", "No."), WrittenColumn("", 8)),
    (("时间", "Time"), WrittenColumn("", 20, as_time=True)),
    (("村 / 小区", "Village"), WrittenColumn("", 16, as_text=True)),
    (("摄像机", "Camera"), WrittenColumn("", 24, as_text=True, wraps=True)),
    (("类别", "Category"), WrittenColumn("", 14, as_text=True)),
    (("内容", "Words"), WrittenColumn("", 48, as_text=True, wraps=True)),
    (("巡查路线", "Tour"), WrittenColumn("", 24, as_text=True, wraps=True)),
    (("巡查编号", "Patrol no."), WrittenColumn("", 10)),
    (("记录人", "Recorded by"), WrittenColumn("", 12, as_text=True)),
    (("画面", "Picture"), WrittenColumn("", 8, as_text=True)),
    (("照片", "Photo"), WrittenColumn("", 8, as_text=True)),
)


def finding_sheet(
    findings: Sequence[FindingView], categories: Mapping[str, Said], zone: tzinfo, language: SheetLanguage = "zh"
) -> bytes:
    """The findings in the order given, times of the site's `zone`. `categories`: words by code; one that the settings
    no longer have is shown by its code. Raises HubError(UNAVAILABLE)."""
    some, none = said(("有", "yes"), language), said(("无", "no"), language)
    return write_xlsx(
        [replace(column, header=said(header, language)) for header, column in _COLUMNS],
        (
            (
                one.id,
                one.at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"),
                one.village,
                one.camera,
                said(categories.get(one.category, (one.category, one.category)), language),
                one.words,
                one.tour_name,
                one.run_id,
                one.user_name,
                some if one.picture_url else none,
                some if one.photo_url else "",
            )
            for one in findings
        ),
        sheet=said(("发现问题", "Findings"), language),
    )
