"""Runs of imports: rows of one device together into the intake, rows of registered cameras into register and ledger.

A row has its verdict in the database as soon as it is known, so a run that was cut off goes on where it was. What came
in without its row being told of it (a crash in between) is found again by the intake, which registers nothing twice.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, Self

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from camera_hub.access.policy import Actor
from camera_hub.cameras.device_checks import trusted
from camera_hub.cameras.imports.columns import SheetColumn
from camera_hub.cameras.imports.imports import mine, running
from camera_hub.cameras.imports.rows import (
    ImportSealer,
    is_outside,
    open_cells,
    seal_cells,
    values_in,
    without_logins,
)
from camera_hub.cameras.imports.values import SDK_PORTS, ParsedRow, parsed
from camera_hub.cameras.intake.wanted import IntakeResult, WantedCamera, WantedDevice
from camera_hub.cameras.jobs import JobItem, Jobs, JobVerdict, JobView
from camera_hub.cameras.register.camera_states import PENDING
from camera_hub.errors import HubError, Kind, Param, Reason
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, SheetImport, SheetImportRow

log = logging.getLogger(__name__)

KIND = "import"
DEVICES_AT_ONCE = 8
PER_VILLAGE = 4
"""Devices of one village that are asked at the same time: its link is thin."""
Only = Literal["good", "failed"]


class DeviceIntake(Protocol):
    """What runs need from cameras.intake."""

    async def add(self, actor: Actor, wanted: WantedDevice, *, approved: bool = True) -> IntakeResult:
        """Register the device, or keep it as a candidate. Raises HubError for what is neither."""
        ...


class CameraEditor(Protocol):
    """What runs need from register and ledger."""

    async def apply(self, actor: Actor, camera_id: int, row: ParsedRow) -> None:
        """Give a registered camera the name, place class and ledger values of a row. Raises HubError."""
        ...

    async def approve(self, actor: Actor, ids: Sequence[int]) -> None:
        """Put cameras into service. Raises HubError."""
        ...


class UnconnectedEntries(Protocol):
    """What runs need from cameras.ledger.unconnected."""

    async def add(
        self,
        actor: Actor,
        village_id: int,
        name: str,
        place_class: str,
        values: Mapping[str, str],
        *,
        approved: bool = True,
        once: bool = False,
    ) -> int:
        """Enter a camera that is not connected; with `once` only if the village has none of that name. Its id. Raises
        HubError."""
        ...


@dataclass(frozen=True, slots=True)
class _Piece:
    """Rows that are done together: those of one device."""

    import_id: int
    village_id: int
    name: str
    numbers: tuple[int, ...]
    approve: bool


@dataclass(frozen=True, slots=True)
class _Outcome:
    verdict: Literal["done", "staged", "failed"]
    reason: str | None = None
    params: dict[str, Param] | None = None
    device_id: int | None = None
    camera_id: int | None = None
    candidate_id: int | None = None


class ImportRuns:
    """Starts runs. An async context manager: entering ends those that a former process has left."""

    def __init__(
        self,
        database: Database,
        vault: ImportSealer,
        jobs: Jobs,
        intake: DeviceIntake,
        editor: CameraEditor,
        unconnected: UnconnectedEntries,
    ) -> None:
        self._database = database
        self._vault = vault
        self._jobs = jobs
        self._intake = intake
        self._editor = editor
        self._unconnected = unconnected
        self._villages: dict[int, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(PER_VILLAGE))

    async def __aenter__(self) -> Self:
        async with self._database.write() as session:
            await session.execute(update(SheetImport).where(SheetImport.state == "running").values(state="done"))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Its jobs are ended by `Jobs`; their imports are found by the next process."""

    async def start(
        self, actor: Actor, import_id: int, only: Only, *, outside: bool = False, approve: bool = True
    ) -> JobView:
        """Bring in the rows that are good (and change what is different), or try those again that failed or wait.
        `outside`: also those whose address is public or in none of the village's ranges; somebody has confirmed that.
        `approve`: what comes in is approved with the run, if the actor may approve; a camera that waits only for its
        picture, too.

        Raises HubError: NOT_FOUND, CONFLICT (import_running), INVALID (import_nothing), BUSY (too many jobs).
        """
        async with self._database.write() as session:
            owner = await session.get(SheetImport, import_id, with_for_update=True)
            owner = await mine(session, actor, import_id) if owner is not None else owner
            if owner is None:
                raise HubError(Kind.NOT_FOUND, "there is no such import")
            if owner.state == "running":
                raise running()
            rows = [
                row
                for row in await self._chosen(session, import_id, only)
                if outside or row.verdict != "good" or not is_outside(row)
            ]
            if not rows:
                raise HubError(Kind.INVALID, "there are no such rows to import", reason="import_nothing")
            before, owner.state = owner.state, "running"
            if before == "preview" and owner.sealed_cells is not None:
                owner.sealed_cells = await asyncio.to_thread(self._without_logins, owner)
            pieces = self._pieces(import_id, rows, approve=approve and trusted(actor))
        by_key = {str(number): piece for number, piece in enumerate(pieces)}

        async def work(item: JobItem) -> JobVerdict:
            return await self._worked(actor, by_key[item.key])

        async def at_end(_: JobView) -> None:
            await self._ended(import_id)

        try:
            job = self._jobs.start(
                actor,
                KIND,
                owner.village_id,
                [JobItem(key, piece.name) for key, piece in by_key.items()],
                work,
                at_once=DEVICES_AT_ONCE,
                at_end=at_end,
            )
        except HubError:
            await self._ended(import_id)
            raise
        async with self._database.write() as session:
            await session.execute(update(SheetImport).where(SheetImport.id == import_id).values(job_id=job.id))
        return job

    async def _chosen(self, session: AsyncSession, import_id: int, only: Only) -> list[SheetImportRow]:
        row = SheetImportRow
        which: ColumnElement[bool] = row.verdict.in_(("failed", "staged"))
        if only == "good":
            which = or_(row.verdict == "good", and_(row.verdict == "same", row.changed))
        found = await session.scalars(select(row).where(row.import_id == import_id, which).order_by(row.number))
        return list(found)

    def _without_logins(self, owner: SheetImport) -> bytes:
        assert owner.sealed_cells is not None
        sheet = open_cells(self._vault, owner.id, owner.sealed_cells).sheet(owner.sheet)
        assert sheet is not None, "an import is mapped before it runs"
        kept = without_logins(sheet, [SheetColumn(**column) for column in owner.columns])
        return seal_cells(self._vault, owner.id, kept)

    def _pieces(self, import_id: int, rows: Iterable[SheetImportRow], *, approve: bool) -> list[_Piece]:
        """Rows of one device together, in the order in which each device comes first."""
        together: dict[object, list[SheetImportRow]] = defaultdict(list)
        for row in rows:
            together[_device_of(row)].append(row)
        return [
            _Piece(import_id, found[0].village_id or 0, _name_of(found), tuple(row.number for row in found), approve)
            for found in together.values()
        ]

    async def _worked(self, actor: Actor, piece: _Piece) -> JobVerdict:
        """One device: its rows are read again, so that none is brought in twice, and get their verdicts."""
        async with self._villages[piece.village_id]:
            async with self._database.read() as session:
                found = await session.scalars(
                    select(SheetImportRow)
                    .where(SheetImportRow.import_id == piece.import_id, SheetImportRow.number.in_(piece.numbers))
                    .order_by(SheetImportRow.number)
                )
                rows = [row for row in found if row.verdict != "done"]
            if not rows:
                return JobVerdict(True)
            outcomes = await self._outcomes(actor, piece, rows)
            if piece.approve:
                outcomes = await self._approved(actor, outcomes)
            await self._write(piece.import_id, outcomes)
        worst = next((one for one in outcomes.values() if one.verdict != "done"), None)
        if worst is None:
            return JobVerdict(True)
        return JobVerdict(False, worst.reason, params=worst.params or {})

    async def _outcomes(self, actor: Actor, piece: _Piece, rows: Sequence[SheetImportRow]) -> dict[int, _Outcome]:
        try:
            typed = [parsed(values_in(self._vault, row))[0] for row in rows]
            if rows[0].camera_id is not None and rows[0].verdict != "staged":
                return await self._edited(actor, rows, typed)
            if typed[0].unconnected:
                return await self._entered(actor, piece, typed)
            result = await self._intake.add(actor, wanted_of(piece.village_id, typed), approved=piece.approve)
        except HubError as error:
            failed = _Outcome("failed", error.reason, dict(error.explanation.params))
            return {row.number: failed for row in rows}
        return {row.number: _outcome(row, result) for row in typed}

    async def _edited(
        self, actor: Actor, rows: Sequence[SheetImportRow], typed: Sequence[ParsedRow]
    ) -> dict[int, _Outcome]:
        outcomes = {}
        for row, values in zip(rows, typed, strict=True):
            assert row.camera_id is not None
            await self._editor.apply(actor, row.camera_id, values)
            outcomes[row.number] = _Outcome("done", device_id=row.device_id, camera_id=row.camera_id)
        return outcomes

    async def _entered(self, actor: Actor, piece: _Piece, typed: Sequence[ParsedRow]) -> dict[int, _Outcome]:
        """Rows of cameras that cannot be reached."""
        outcomes = {}
        for row in typed:
            camera_id = await self._unconnected.add(
                actor,
                piece.village_id,
                row.name,
                row.place_class or "other",
                row.unconnected_values,
                approved=piece.approve,
                once=True,
            )
            outcomes[row.number] = _Outcome("done", camera_id=camera_id)
        return outcomes

    async def _approved(self, actor: Actor, outcomes: dict[int, _Outcome]) -> dict[int, _Outcome]:
        """Approve those of the cameras that a village had added before and that wait."""
        ids = [one.camera_id for one in outcomes.values() if one.verdict == "done" and one.camera_id is not None]
        async with self._database.read() as session:
            waiting = set(await session.scalars(select(Camera.id).where(Camera.id.in_(ids), Camera.state.in_(PENDING))))
        if not waiting:
            return outcomes
        try:
            await self._editor.approve(actor, sorted(waiting))
        except HubError as error:  # it is in all the same, and waits in the inbox
            params = dict(error.explanation.params)
            return {
                number: replace(one, reason=error.reason, params=params) if one.camera_id in waiting else one
                for number, one in outcomes.items()
            }
        return outcomes

    async def _write(self, import_id: int, outcomes: dict[int, _Outcome]) -> None:
        async with self._database.write() as session:
            for number, one in outcomes.items():
                problem = {"field": "", "reason": one.reason, "params": one.params or {}}
                columns: dict[str, Any] = {
                    "verdict": one.verdict,
                    "problems": [problem] if one.reason is not None else [],
                    "device_id": one.device_id,
                    "camera_id": one.camera_id,
                    "candidate_id": one.candidate_id,
                }
                if one.verdict == "done":
                    columns |= {"sealed": None, "changed": False}
                await session.execute(
                    update(SheetImportRow)
                    .where(SheetImportRow.import_id == import_id, SheetImportRow.number == number)
                    .values(**columns)
                )

    async def _ended(self, import_id: int) -> None:
        async with self._database.write() as session:
            await session.execute(update(SheetImport).where(SheetImport.id == import_id).values(state="done"))


def wanted_of(village_id: int, rows: Sequence[ParsedRow]) -> WantedDevice:
    """The device of these rows, with a camera for each of them; the first login that is given is the device's."""
    first = rows[0]
    login = next((row for row in rows if row.username), first)
    return WantedDevice(
        village_id,
        first.host,
        first.port,
        rtsp_port=next((row.rtsp_port for row in rows if row.rtsp_port is not None), None),
        username=login.username,
        password=login.password,
        name=first.name if len(rows) == 1 and first.channel is None else "",
        main_url=first.main_url,
        sub_url=first.sub_url,
        cameras=tuple(
            WantedCamera(row.channel, row.name, row.place_class or "other", dict(row.ledger)) for row in rows
        ),
        source="sheet",
    )


def _outcome(row: ParsedRow, result: IntakeResult) -> _Outcome:
    params = {name: value for name, value in result.params.items() if isinstance(value, str | int | float)}
    camera_id = result.camera_ids.get(row.channel)
    if camera_id is not None:
        return _Outcome("done", device_id=result.device_id, camera_id=camera_id)
    if result.candidate_id is not None:
        return _Outcome("staged", result.reason, params, candidate_id=result.candidate_id)
    if result.reason == Reason.DUPLICATE and row.channel is not None and not params.get("other_village"):
        return _Outcome("failed", Reason.CHANNELS_MISSING, {"channels": str(row.channel)}, device_id=result.device_id)
    return _Outcome("failed", result.reason or Kind.INTERNAL.value, params, device_id=result.device_id)


def _device_of(row: SheetImportRow) -> object:
    values = row.values
    if row.camera_id is not None and row.verdict == "same":
        return "camera", row.camera_id
    if values.get("main_url") or not values.get("host"):
        return "alone", row.number
    return "device", row.village_id, values.get("host", "").lower(), _asked_port(values.get("port", ""))


def _asked_port(text: str) -> str:
    return "" if text in map(str, SDK_PORTS) else text


def _name_of(rows: Sequence[SheetImportRow]) -> str:
    first = rows[0].values
    name = first.get("name", "") if len(rows) == 1 else ""
    return " · ".join(part for part in (name, first.get("host", "")) if part) or str(rows[0].number)
