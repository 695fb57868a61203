"""Reports as routes answer them: microseconds become seconds, ids get their names."""

from collections.abc import Mapping
from typing import get_args

from camera_hub.api.schemas.reports import (
    CameraReportAnswer,
    CauseReportAnswer,
    DayReportAnswer,
    FaultReportAnswer,
    FigureAnswer,
    FigureKey,
    Figures,
    FigureWordsAnswer,
    FlappingAnswer,
    RankedKey,
    ReportAnswer,
    ShareAnswer,
    UnitReportAnswer,
    UnobservedAnswer,
    VillageReportAnswer,
)
from camera_hub.health.reports.figures import BothShares, Share
from camera_hub.health.reports.report import CameraFigures, FaultFigures, VillageFigures
from camera_hub.health.reports.reports import NamedReport
from camera_hub.health.reports.span import SECOND, length, moment
from camera_hub.health.reports.words import (
    CHANGES_EN,
    CHANGES_ZH,
    RANKING_EN,
    RANKING_ZH,
    WORDS,
)
from camera_hub.settings import ReportSettings

SHOWN_UNOBSERVED = 50
KEYS: tuple[FigureKey, ...] = get_args(FigureKey)
RANKED_KEYS: tuple[RankedKey, ...] = get_args(RankedKey)


def report_answer(found: NamedReport, settings: ReportSettings, *, bound: bool) -> ReportAnswer:
    """The report without its cameras and faults. `bound`: the user sees some villages only, so none is ranked."""
    report = found.report
    by = next(key for key in RANKED_KEYS if key == report.rules.ranked_by)
    villages = {one.village_id: one for one in report.villages}
    of_camera = {one.camera_id: one.village_id for one in report.cameras}
    return ReportAnswer(
        first=report.span.first,
        last=report.span.last,
        begin=moment(report.span.begin),
        end=moment(report.span.end),
        over=report.span.over,
        complete=found.complete,
        data_as_of=min(report.span.as_of, moment(report.span.end)),
        computed_at=found.computed_at,
        township=settings.township,
        pass_percent=settings.pass_percent,
        due_hours=dict(report.rules.due_hours),
        ranked_by=None if bound else by,
        ranking_zh=RANKING_ZH.format(figure=WORDS[by].zh),
        ranking_en=RANKING_EN.format(figure=WORDS[by].en),
        changes_zh=CHANGES_ZH,
        changes_en=CHANGES_EN,
        words=[_words(key) for key in KEYS],
        cameras=len({one.camera_id for one in report.cameras}),
        figures=figures_answer(report.shares),
        villages=[_village(found, one, bound) for one in villages.values()],
        units=[
            UnitReportAnswer(
                unit=one.unit,
                cameras=one.cameras,
                faults=one.faults,
                open=one.open,
                figures=figures_answer(one.shares),
            )
            for one in report.units
        ],
        days=[
            DayReportAnswer(day=one.day, online=_both("time", one.online), intact=_both("time", one.intact))
            for one in report.days
        ],
        causes=[
            CauseReportAnswer(aspect=one.aspect, cause=one.cause, count=one.count, seconds=one.lasted / SECOND)
            for one in report.causes
        ],
        flapping=[
            FlappingAnswer(
                camera_id=one.camera_id,
                name=camera_name(found, one.camera_id),
                village_name=found.villages.get(of_camera[one.camera_id], ""),
                before=one.before,
                after=one.after,
            )
            for one in report.flapping
        ],
        unobserved=[
            UnobservedAnswer(since=moment(since), until=moment(until))
            for since, until in report.unobserved[-SHOWN_UNOBSERVED:]
        ],
        unobserved_count=len(report.unobserved),
        unobserved_seconds=length(report.unobserved) / SECOND,
    )


def camera_answer(found: NamedReport, one: CameraFigures) -> CameraReportAnswer:
    """One camera."""
    names = found.cameras.get(one.camera_id)
    return CameraReportAnswer.model_validate(
        {
            "camera_id": one.camera_id,
            "name": camera_name(found, one.camera_id),
            "device": "" if names is None else names.device,
            "village_id": one.village_id,
            "village_name": found.villages.get(one.village_id, ""),
            "maintainer_unit": one.maintainer_unit,
            "figures": figures_answer(one.shares),
            "states": one.states,
            "excluded_now": one.excluded_now,
            "excluded_seconds": one.excluded / SECOND,
            "unobserved_seconds": one.unobserved / SECOND,
            "outages": one.outages[0],
            "outages_after": one.outages[1],
        }
    )


def fault_answer(found: NamedReport, one: FaultFigures, due_hours: Mapping[str, float]) -> FaultReportAnswer:
    """One fault."""
    fault = one.fault
    end = found.report.span.end
    return FaultReportAnswer.model_validate(
        {
            "alarm_id": fault.id,
            "level": fault.level,
            "aspect": fault.aspect,
            "cause": fault.cause,
            "severity": fault.severity,
            "village_name": found.villages.get(fault.village_id or 0, ""),
            "camera_id": fault.camera_id,
            "name": fault_name(found, one),
            "cameras": len(fault.cameras),
            "units": list(one.units),
            "opened_at": moment(fault.opened),
            "closed_at": None if fault.closed is None or fault.closed >= end else moment(fault.closed),
            "seconds": one.before.lasted / SECOND,
            "after_seconds": one.after.lasted / SECOND,
            "due_hours": due_hours[fault.severity],
            "verdict": one.after.verdict,
            "flapping": fault.flapping,
        }
    )


def camera_name(found: NamedReport, camera_id: int) -> str:
    names = found.cameras.get(camera_id)
    return f"#{camera_id}" if names is None else names.name


def fault_name(found: NamedReport, one: FaultFigures) -> str:
    """What a fault is about: its camera, its device, or its village."""
    fault = one.fault
    if fault.camera_id is not None:
        return camera_name(found, fault.camera_id)
    if fault.level == "device":
        names = (found.cameras.get(camera) for camera in sorted(fault.cameras))
        return next((one.device for one in names if one is not None), "")
    return found.villages.get(fault.village_id or 0, "")


def figures_answer(shares: Mapping[str, BothShares]) -> Figures:
    """All figures by key."""
    return {key: _both(WORDS[key].unit, shares[key]) for key in KEYS}


def _both(unit: str, both: BothShares) -> FigureAnswer:
    return FigureAnswer(before=_share(unit, both.before), after=_share(unit, both.after))


def _share(unit: str, share: Share) -> ShareAnswer:
    """Of a mean, the part alone is a duration."""
    scale = SECOND if unit in ("time", "mean") else 1
    mean = None if unit != "mean" or share.mean is None else float(share.mean / SECOND)
    return ShareAnswer(
        part=share.part / scale,
        whole=share.whole if unit == "mean" else share.whole / scale,
        unknown=share.unknown / scale,
        percent=None if unit == "mean" or share.hundredths is None else share.hundredths / 100,
        mean=mean,
    )


def _village(found: NamedReport, one: VillageFigures, bound: bool) -> VillageReportAnswer:
    return VillageReportAnswer.model_validate(
        {
            "village_id": one.village_id,
            "name": found.villages.get(one.village_id, ""),
            "cameras": one.cameras,
            "figures": figures_answer(one.shares),
            "place": None if bound else one.rank.place,
            "tied": one.rank.tied and not bound,
            "why": one.rank.why,
        }
    )


def _words(key: FigureKey) -> FigureWordsAnswer:
    words = WORDS[key]
    return FigureWordsAnswer.model_validate(
        {
            "key": key,
            "unit": words.unit,
            "zh": words.zh,
            "en": words.en,
            "zh_formula": words.zh_formula,
            "en_formula": words.en_formula,
        }
    )
