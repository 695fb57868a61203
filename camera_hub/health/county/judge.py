"""Judges the rows of lists that are not judged yet, some at a time; what a stop of the hub left is taken up again."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.clock import Clock
from camera_hub.health.county.columns import CountyColumn, texts_of
from camera_hub.health.county.evidence import (
    AskedCamera,
    CountyEvidence,
    asked_cameras,
    gathered,
    known_cameras,
    last_seen_well,
)
from camera_hub.health.county.judging import CountyJudgement, SeenState, judged
from camera_hub.health.county.listed import ListedTime, called_well, complained_of, gb_id_lost, gb_id_of, plain, time_of
from camera_hub.health.county.matching import CameraIndex
from camera_hub.store.database import Database
from camera_hub.store.tables import CountyCheck, CountyRow

PIECE = 200
"""Rows that are judged in one transaction: some tens of milliseconds."""
IDLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _RowPiece:
    check: CountyCheck
    rows: Sequence[CountyRow]


class CountyJudge:
    """A loop of the hub (`run_once`), woken by whoever leaves rows to be judged."""

    def __init__(self, database: Database, clock: Clock, zone: ZoneInfo) -> None:
        self._database = database
        self._clock = clock
        self._zone = zone
        self._woken = asyncio.Event()
        self._turn = asyncio.Lock()

    def wake(self) -> None:
        """There are rows to be judged."""
        self._woken.set()

    async def run_once(self) -> None:
        """Judge whatever is not judged, for ever."""
        while True:
            await self.judge_pending()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE_SECONDS):
                    await self._woken.wait()
            self._woken.clear()

    async def judge_pending(self) -> int:
        """Judge all rows that are not judged yet; returns how many were."""
        count = 0
        async with self._turn:
            async with self._database.read() as session:
                waiting = list(
                    await session.scalars(
                        select(CountyRow.check_id).where(CountyRow.conclusion.is_(None)).distinct().order_by("check_id")
                    )
                )
            for check_id in waiting:
                count += await self._judge(check_id)
        return count

    async def _judge(self, check_id: int) -> int:
        async with self._database.read() as session:
            cameras = await known_cameras(session)
        index = await asyncio.to_thread(CameraIndex, cameras)
        count = 0
        while done := await self._judge_piece(check_id, index):
            count += done
        return count

    async def _judge_piece(self, check_id: int, index: CameraIndex) -> int:
        async with self._database.write() as session:
            check = await session.get(CountyCheck, check_id)
            if check is None:
                return 0
            query = select(CountyRow).where(CountyRow.check_id == check_id, CountyRow.conclusion.is_(None))
            rows = list(await session.scalars(query.order_by(CountyRow.number).limit(PIECE)))
            await _judge_rows(session, _RowPiece(check, rows), index, self._zone, self._clock.now())
        return len(rows)


async def _judge_rows(
    session: AsyncSession, piece: _RowPiece, index: CameraIndex, zone: ZoneInfo, now: datetime
) -> None:
    columns = [CountyColumn(**one) for one in piece.check.columns]
    texts = {row.number: texts_of(columns, row.cells) for row in piece.rows}
    default = ListedTime.moment(piece.check.listed_at or piece.check.created_at)
    times = {number: time_of(said.get("time", ""), zone, now) or default for number, said in texts.items()}
    for row in piece.rows:
        if row.matched_by != "hand":
            found = index.match(texts[row.number])
            row.camera_id, row.matched_by, row.candidates = found.camera_id, found.by, list(found.candidates)
    matched = [row for row in piece.rows if row.camera_id is not None]
    asked = await asked_cameras(session, [(row.camera_id or 0, times[row.number]) for row in matched])
    cameras = {row.number: one for row, one in zip(matched, asked, strict=True) if one is not None}
    evidence = dict(zip(cameras, await gathered(session, zone, now, list(cameras.values())), strict=True))
    judgements = {
        number: judged(complained_of(texts[number].get("cause", "")), one.evidence) for number, one in evidence.items()
    }
    seen = await _seen_well(session, cameras, judgements, now)
    for row in piece.rows:
        said = texts[row.number]
        notes = _notes(said, zone, now)
        answer: dict[str, Any] = {"time": _iso(times[row.number].begin), "whole_day": times[row.number].whole_day}
        if (judgement := judgements.get(row.number)) is None:
            row.conclusion = "ambiguous" if row.candidates else "no_camera"
        else:
            row.conclusion = judgement.conclusion
            camera = cameras[row.number]
            if said.get("name") and plain(said["name"]) not in (
                plain(camera.name),
                plain(camera.village + camera.name),
            ):
                notes.append("name_differs")
            answer |= _answer(camera, judgement, evidence[row.number], seen.get(row.number))
            notes += judgement.notes
        row.answer, row.judged_at = answer | {"notes": notes}, now


async def _seen_well(
    session: AsyncSession,
    cameras: Mapping[int, AskedCamera],
    judgements: Mapping[int, CountyJudgement],
    now: datetime,
) -> dict[int, datetime | None]:
    """Of rows that were well: the last good look at or before the time in question."""
    numbers, asked = [], []
    for number, judgement in judgements.items():
        since = judgement.then.since
        if judgement.conclusion == "seen_well" and judgement.then.state == "ok" and since is not None:
            numbers.append(number)
            asked.append((cameras[number].camera_id, since, min(cameras[number].time.end, now)))
    return dict(zip(numbers, await last_seen_well(session, asked), strict=True))


def _notes(said: Mapping[str, str], zone: ZoneInfo, now: datetime) -> list[str]:
    """What a person should know of the row itself."""
    notes = []
    if gb_id_lost(said.get("gb_id", "")):
        notes.append("id_lost")
    elif said.get("gb_id") and gb_id_of(said["gb_id"]) is None:
        notes.append("id_wrong")
    if said.get("time") and time_of(said["time"], zone, now) is None:
        notes.append("time_unread")
    if called_well(said.get("cause", "")):
        notes.append("listed_well")
    return notes


def _answer(
    camera: AskedCamera, judgement: CountyJudgement, evidence: CountyEvidence, seen_well: datetime | None
) -> dict[str, Any]:
    term = evidence.exclusion
    return {
        "camera": camera.name,
        "village": camera.village,
        "then": _state(judgement.then),
        "now": _state(judgement.now),
        "repaired_at": _iso(judgement.repaired_at),
        "seen_well_at": _iso(seen_well),
        "exclusion": None
        if term is None
        else {"id": term.id, "kind": term.kind, "reason": term.reason, "until": _iso(term.until)},
        "alarm_id": evidence.alarm_id,
        "alarm_open": evidence.alarm_open,
        "picture_id": evidence.picture_id,
    }


def _state(seen: SeenState) -> dict[str, Any]:
    return {"state": seen.state, "aspect": seen.aspect, "cause": seen.cause, "since": _iso(seen.since)}


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


async def leave_unjudged(session: AsyncSession, check_id: int) -> None:
    """All rows of a check are to be judged again; what a person has said stays."""
    await session.execute(
        update(CountyRow).where(CountyRow.check_id == check_id).values(conclusion=None, judged_at=None)
    )
