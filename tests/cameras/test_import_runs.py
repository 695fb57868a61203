"""A village's sheet of a thousand rows: judged, brought in, mended, tried again; nothing twice."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select

from camera_hub.access.policy import Actor, Role
from camera_hub.cameras.device_checks import DeviceChecks
from camera_hub.cameras.imports.camera_editor import RowEditor
from camera_hub.cameras.imports.imports import Imports
from camera_hub.cameras.imports.known_reader import KnownReader
from camera_hub.cameras.imports.runs import ImportRuns, Only
from camera_hub.cameras.imports.sheets import ImportSheets
from camera_hub.cameras.intake.intake import Intake
from camera_hub.cameras.intake.wanted import IntakeResult, WantedDevice
from camera_hub.cameras.jobs import Jobs
from camera_hub.cameras.ledger.ledgers import Ledgers
from camera_hub.cameras.ledger.unconnected import UnconnectedCameras
from camera_hub.cameras.reach import ReachPolicy
from camera_hub.cameras.register.register import Register
from camera_hub.errors import HubError, Kind
from camera_hub.events import EventBus
from camera_hub.settings import LedgerSettings, Settings, SheetSettings
from camera_hub.sheets.reading import sheet_reader
from camera_hub.sheets.writing import WrittenColumn, write_xlsx
from camera_hub.store.database import Database
from camera_hub.store.tables import Camera, Device, LedgerFile, SheetImport, SheetImportRow, User
from tests.cameras.fakes import ADMIN, FakeDescriber, FakeVault, described, village_admin
from tests.fakes.clock import ManualClock

HEADERS = [
    "序号",
    "村",
    "摄像机名称",
    "设备IP",
    "端口",
    "通道号",
    "用户名",
    "密码",
    "主码流地址",
    "点位类型",
    "国标编码",
    "联系电话",
    "经度",
    "纬度",
]
PASSWORD = "tP5-orchard"
BAD_EACH = 5


class CountingIntake:
    """The real intake; `fails` raises before the nth device, as a crash of the hub would."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self.wanted: list[WantedDevice] = []
        self.fail_after: int | None = None

    async def add(self, actor: Actor, wanted: WantedDevice, *, approved: bool = True) -> IntakeResult:
        result = await self._intake.add(actor, wanted, approved=approved)
        self.wanted.append(wanted)
        if self.fail_after is not None and len(self.wanted) > self.fail_after:
            raise asyncio.CancelledError
        return result


class Site:
    """Imports over a real register, intake and ledger, whose devices are described by a fake."""

    def __init__(self, database: Database, bus: EventBus, clock: ManualClock, describer: FakeDescriber) -> None:
        self.database, self.describer = database, describer
        vault, checks = OwnedVault(), DeviceChecks(database, ReachPolicy)
        self.register = Register(database, bus, clock, FakeVault(), describer, checks)
        ledgers = Ledgers(database, bus, clock, LedgerSettings(), Settings().site.zone)
        self.intake = CountingIntake(Intake(database, bus, clock, vault, self.register.devices, ledger=ledgers))
        self.jobs = Jobs(clock, bus)
        known = KnownReader(database, checks, FakeVault())
        settings = SheetSettings()
        self.imports = Imports(database, clock, vault, sheet_reader(settings), known, settings)
        unconnected = UnconnectedCameras(database, bus, clock, ledgers)
        editor = RowEditor(self.register.cameras, ledgers)
        self.runs = ImportRuns(database, vault, self.jobs, self.intake, editor, unconnected)
        self.sheets = ImportSheets(database, vault, known)
        self.villages: dict[str, int] = {}

    async def run(self, actor: Actor, import_id: int, only: Only = "good", **how: bool) -> None:
        """Start a run and wait for its end."""
        job = await self.runs.start(actor, import_id, only, **how)
        task = next(one for one in asyncio.all_tasks() if one.get_name() == f"job import {job.id}")
        await asyncio.wait([task])

    async def verdicts(self, import_id: int) -> Counter[str]:
        async with self.database.read() as session:
            return Counter(
                await session.scalars(select(SheetImportRow.verdict).where(SheetImportRow.import_id == import_id))
            )

    async def cameras(self) -> int:
        async with self.database.read() as session:
            return await session.scalar(select(func.count()).select_from(Camera)) or 0


class OwnedVault:
    """Reverses the text and binds it to its owner."""

    def seal(self, text: str, owner: object) -> bytes:
        return f"{owner}|{text[::-1]}".encode()

    def open(self, sealed: bytes, owner: object) -> str:
        name, _, text = sealed.decode().partition("|")
        assert name == str(owner)
        return text[::-1]


@pytest.fixture
async def site(database: Database, bus: EventBus, clock: ManualClock) -> AsyncIterator[Site]:
    site = Site(database, bus, clock, FakeDescriber())
    async with database.write() as session:
        for actor in (ADMIN, village_admin(1)):
            session.add(
                User(
                    id=actor.user_id,
                    username=actor.username,
                    display_name=actor.display_name,
                    role=actor.role.value,
                    password_hash="-",
                    created_at=clock.now(),
                )
            )
    await site.register.villages.add(["董家村", "石桥村"], "village")
    for village in await site.register.villages.all(ADMIN):
        await site.register.villages.change(village.id, ranges=["10.0.0.0/20"])
        site.villages[village.name] = village.id
    async with site.jobs, site.runs:
        yield site


def written(folder: Path, rows: list[list[str]], headers: list[str] = HEADERS) -> Path:
    path = folder / "sheet.xlsx"
    columns = [WrittenColumn(header) for header in headers]
    path.write_bytes(write_xlsx(columns, rows))
    return path


def row(number: int, **values: str) -> list[str]:
    """A good row, but for the values that are named by their headers."""
    usual = {
        "序号": str(number),
        "村": "董家村",
        "摄像机名称": f"{number}号点位",
        "设备IP": f"10.0.{number // 200}.{number % 200 + 1}",
        "用户名": "admin",
        "密码": PASSWORD,
        "点位类型": "重点路段",
        "国标编码": f"34012300001320{number:06d}",
        "经度": "117.283456",
        "纬度": "31.861234",
    }
    return [{**usual, **values}.get(header, "") for header in HEADERS]


KINDS: dict[str, tuple[dict[str, str], str]] = {
    "name_missing": ({"摄像机名称": ""}, "row_name_missing"),
    "bad_address": ({"设备IP": "10.0.300.1"}, "bad_host"),
    "forbidden": ({"设备IP": "127.0.0.{each}"}, "address_refused"),
    "unknown_village": ({"村": "月亮村"}, "row_village_unknown"),
    "bad_port": ({"端口": "70000"}, "row_port"),
    "bad_channel": ({"通道号": "零"}, "row_channel"),
    "bad_url": ({"主码流地址": "http://10.0.0.9/a"}, "bad_url"),
    "place_class": ({"点位类型": "月球"}, "row_place_class"),
    "mangled": ({"国标编码": "3.4E+19"}, "value_excel"),
    "phone": ({"联系电话": "12345"}, "value_phone"),
    "swapped": ({"经度": "31.861234", "纬度": "117.283456"}, "value_coordinate"),
    "too_long": ({"摄像机名称": "长" * 65}, "row_name_long"),
}


@pytest.mark.slow
async def test_a_thousand_rows_sixty_of_them_bad_in_twelve_ways(site: Site, tmp_path: Path) -> None:
    rows = [row(number) for number in range(1, 1001)]
    expected: dict[int, str] = {}
    for place, (values, reason) in enumerate(KINDS.values()):
        for each in range(BAD_EACH):
            number = 10 + place * 80 + each * 11
            rows[number - 1] = row(number, **{header: text.format(each=each + 1) for header, text in values.items()})
            expected[number + 1] = reason  # under the row with the headers
    assert len(expected) == 60
    for number in range(1, 1001):
        host = f"10.0.{number // 200}.{number % 200 + 1}"
        site.describer.devices[host] = described(host, serial=f"SN{number:06d}", mac="")
    view = await site.imports.upload(ADMIN, None, "董家村.xlsx", written(tmp_path, rows))
    assert (view.counts.total, view.counts.good, view.counts.bad) == (1000, 940, 60)
    page = await site.imports.rows(ADMIN, view.id, verdict="bad", limit=1000)
    found = {one.number: {problem["reason"] for problem in one.problems} for one in page.rows}
    assert {number: min(reasons) for number, reasons in found.items()} == expected
    assert max(map(len, found.values())) == 1


@pytest.mark.slow
async def test_what_is_good_is_in_once_whatever_happens(site: Site, tmp_path: Path) -> None:
    """A double click, a crash in the middle, a second person: every device once; then one row is mended and tried."""
    rows = [row(number) for number in range(1, 9)]
    rows += [
        row(9, 设备IP="10.0.9.9", 摄像机名称=f"录像机{channel}", 通道号=str(channel), 国标编码="")
        for channel in (1, 2, 3)
    ]
    for number in range(1, 8):  # the eighth is not there
        host = f"10.0.0.{number + 1}"
        site.describer.devices[host] = described(host, serial=f"SN{number:06d}", mac="")
    site.describer.devices["10.0.9.9"] = described("10.0.9.9", channels=2, serial="NVR0000001", mac="")
    view = await site.imports.upload(ADMIN, None, "x", written(tmp_path, rows))
    assert view.counts.good == 11
    await site.run(ADMIN, view.id)
    assert await site.verdicts(view.id) == {"done": 9, "staged": 1, "failed": 1}
    assert await site.cameras() == 9
    recorder = site.intake.wanted[-1]
    assert [one.channel for one in recorder.cameras] == [1, 2, 3]
    async with site.database.read() as session:
        names = set(await session.scalars(select(Camera.name)))
        assert {"录像机1", "录像机2", "1号点位"} <= names
        owner = await session.get_one(SheetImport, view.id)
        secrets = await session.scalars(select(SheetImportRow.number).where(SheetImportRow.sealed.is_not(None)))
        assert list(secrets) == [9, 12]
        assert owner.sealed_cells is not None
        assert PASSWORD not in OwnedVault().open(owner.sealed_cells, f"import:{view.id}")
    host = "10.0.0.9"
    site.describer.devices[host] = described(host, serial="SN000008", mac="")
    with pytest.raises(HubError) as caught:
        await site.run(ADMIN, view.id)
    assert caught.value.reason == "import_nothing"
    before = len(site.intake.wanted)
    await site.run(ADMIN, view.id, "failed")
    assert len(site.intake.wanted) == before + 2
    assert await site.verdicts(view.id) == {"done": 10, "failed": 1}
    (missing,) = (await site.imports.rows(ADMIN, view.id, verdict="failed")).rows
    assert [(one["reason"], one["params"]) for one in missing.problems] == [("channels_missing", {"channels": "3"})]
    again = await site.imports.upload(ADMIN, None, "x", written(tmp_path, rows))
    assert (again.counts.unchanged, again.counts.good) == (10, 1)
    async with site.database.read() as session:
        hosts = Counter(await session.scalars(select(Device.host)))
        assert set(hosts.values()) == {1}


async def test_an_address_outside_the_ranges_is_brought_in_once_it_is_confirmed(site: Site, tmp_path: Path) -> None:
    rows = [row(1, 端口="8000"), row(2, 设备IP="8.8.8.8"), row(3, 设备IP="10.9.9.9")]
    for number, host in enumerate(("10.0.0.2", "8.8.8.8", "10.9.9.9"), 1):
        site.describer.devices[host] = described(host, serial=f"SN{number:06d}", mac="")
    view = await site.imports.upload(ADMIN, None, "x", written(tmp_path, rows))
    assert (view.counts.good, view.counts.outside) == (3, 2)
    await site.run(ADMIN, view.id)
    assert [(one.host, one.port) for one in site.intake.wanted] == [("10.0.0.2", None)]
    assert await site.verdicts(view.id) == {"done": 1, "good": 2}
    assert (await site.imports.get(ADMIN, view.id)).counts.outside == 2
    await site.run(ADMIN, view.id, outside=True)
    assert await site.verdicts(view.id) == {"done": 3}
    assert (await site.imports.get(ADMIN, view.id)).counts.outside == 0


@pytest.mark.slow
async def test_the_township_approves_with_the_run_or_leaves_it_to_the_inbox(site: Site, tmp_path: Path) -> None:
    for number in range(1, 4):
        host = f"10.0.0.{number + 1}"
        site.describer.devices[host] = described(host, serial=f"SN{number:06d}", mac="")
    own = village_admin(site.villages["董家村"])
    theirs = await site.imports.upload(own, site.villages["董家村"], "x", written(tmp_path, [row(1)]))
    await site.run(own, theirs.id)  # it does not make a village admin one who approves
    assert (await site.imports.get(own, theirs.id)).counts.approved == 0
    waits = await site.imports.upload(ADMIN, None, "x", written(tmp_path, [row(2)]))
    await site.run(ADMIN, waits.id, approve=False)
    assert (await site.imports.get(ADMIN, waits.id)).counts.approved == 0
    assert {one.state for one in await site.register.cameras.all(ADMIN)} == {"waiting"}
    rows = [row(1, 摄像机名称="改了名", 端口="80"), row(3)]  # one of them waits already, under another name
    async with site.database.write() as session:
        first = await session.scalar(select(Camera).where(Camera.name == "1号点位"))
        assert first is not None
        first.name = "改了名"
    view = await site.imports.upload(ADMIN, None, "x", written(tmp_path, rows))
    await site.imports.change_row(ADMIN, view.id, 2, {"ledger.landmark": "石桥"})
    await site.run(ADMIN, view.id)
    assert (await site.imports.get(ADMIN, view.id)).counts.approved == 2
    assert Counter(one.state for one in await site.register.cameras.all(ADMIN)) == {"approved": 2, "waiting": 1}


@pytest.mark.slow
async def test_a_contractor_imports_for_their_villages_and_changes_nothing(site: Site, tmp_path: Path) -> None:
    village = site.villages["董家村"]
    for number in (1, 2):
        host = f"10.0.0.{number + 1}"
        site.describer.devices[host] = described(host, serial=f"SN{number:06d}", mac="")
    theirs = await site.imports.upload(ADMIN, village, "x", written(tmp_path, [row(1)]))
    await site.run(ADMIN, theirs.id)
    contractor = Actor(7, "wang", "Wang", Role.CONTRACTOR, frozenset({village}))
    async with site.database.write() as session:
        session.add(
            User(
                id=7,
                username="wang",
                display_name="Wang",
                role="contractor",
                password_hash="-",
                created_at=datetime.now(UTC),
            )
        )
    sheet = written(tmp_path, [row(1, 摄像机名称="别的名字", 国标编码=""), row(2), row(3, 村="石桥村")])
    with pytest.raises(HubError) as other:
        await site.imports.upload(contractor, site.villages["石桥村"], "x", sheet)
    assert other.value.kind is Kind.NOT_FOUND
    view = await site.imports.upload(contractor, village, "x", sheet)
    assert [one.id for one in await site.imports.all(contractor)] == [view.id]
    with pytest.raises(HubError) as hidden:
        await site.imports.rows(contractor, theirs.id)
    assert hidden.value.kind is Kind.NOT_FOUND
    rows = (await site.imports.rows(contractor, view.id)).rows
    assert [one.verdict for one in rows] == ["good", "good", "bad"], "of what is approved they are told nothing"
    await site.run(contractor, view.id)
    cameras = {one.name: one.state for one in await site.register.cameras.all(ADMIN)}
    assert cameras == {"1号点位": "approved", "2号点位": "waiting"}
    again = await site.imports.upload(contractor, village, "x", written(tmp_path, [row(2, 联系电话="13800000001")]))
    assert (again.counts.unchanged, again.counts.changed) == (1, 0)


async def test_a_camera_without_an_address_gets_a_file_alone(site: Site, tmp_path: Path) -> None:
    headers = ["村", "摄像机名称", "接入方式", "未联网原因"]
    rows = [
        ["董家村", "云上点位", "天翼云眼", ""],
        ["董家村", "断线点位", "专线", "线路未通"],
        ["董家村", "没写原因", "专线", ""],
        ["董家村", "云上点位", "云平台", ""],
    ]
    view = await site.imports.upload(ADMIN, None, "x", written(tmp_path, rows, headers))
    found = (await site.imports.rows(ADMIN, view.id)).rows
    assert [(one.verdict, [problem["reason"] for problem in one.problems]) for one in found] == [
        ("good", ["row_unconnected"]),
        ("good", ["row_unconnected"]),
        ("bad", ["row_address_missing"]),
        ("bad", ["row_unconnected", "row_double"]),
    ]
    mended = await site.imports.change_row(ADMIN, view.id, 4, {"ledger.no_access_reason": "设备已坏"})
    assert mended.verdict == "good"
    await site.run(ADMIN, view.id)
    assert not site.intake.wanted
    counts = (await site.imports.get(ADMIN, view.id)).counts
    assert (counts.done, counts.approved, counts.bad) == (3, 3, 1)
    async with site.database.read() as session:
        reasons = set(await session.scalars(select(LedgerFile.no_access_reason)))
    assert reasons == {"只接入了运营商云平台，没有设备地址", "线路未通", "设备已坏"}
    again = await site.imports.upload(ADMIN, None, "x", written(tmp_path, rows[:2], headers))
    assert again.counts.unchanged + again.counts.changed == 2


async def test_two_persons_start_one_run_and_a_cut_off_one_goes_on(site: Site, tmp_path: Path) -> None:
    rows = [row(number) for number in range(1, 5)]
    for number in range(1, 5):
        host = f"10.0.0.{number + 1}"
        site.describer.devices[host] = described(host, serial=f"SN{number:06d}", mac="")
    view = await site.imports.upload(ADMIN, None, "x", written(tmp_path, rows))
    answers = await asyncio.gather(
        site.runs.start(ADMIN, view.id, "good"), site.runs.start(ADMIN, view.id, "good"), return_exceptions=True
    )
    refused = [one for one in answers if isinstance(one, HubError)]
    assert [one.reason for one in refused] == ["import_running"]
    await site.jobs.__aexit__()  # the hub ends in the middle
    assert (await site.imports.get(ADMIN, view.id)).state == "running"
    await site.runs.__aenter__()  # and starts again
    assert (await site.imports.get(ADMIN, view.id)).state == "done"
    assert await site.cameras() < 4
    await site.run(ADMIN, view.id)
    assert await site.verdicts(view.id) == {"done": 4}
    assert await site.cameras() == 4


@pytest.mark.slow
async def test_a_list_that_was_edited_changes_what_it_names(site: Site, tmp_path: Path) -> None:
    site.describer.devices["10.0.0.2"] = described("10.0.0.2", serial="SN000001", mac="")
    view = await site.imports.upload(ADMIN, None, "x", written(tmp_path, [row(1)]))
    await site.run(ADMIN, view.id)
    own = village_admin(site.villages["董家村"])
    path = tmp_path / "list.xlsx"
    path.write_bytes(await site.sheets.list(own, None))
    same = await site.imports.upload(own, site.villages["董家村"], "list", path)
    assert (same.counts.unchanged, same.counts.total) == (1, 1), (await site.imports.rows(own, same.id)).rows
    changed = await site.imports.change_row(own, same.id, 2, {"name": "=桥头", "ledger.landmark": "石桥"})
    assert changed.verdict == "same"
    assert [(one["field"], one["after"]) for one in changed.changes] == [("name", "=桥头"), ("ledger.landmark", "石桥")]
    await site.run(own, same.id)
    (camera,) = await site.register.cameras.all(ADMIN)
    assert camera.name == "=桥头"
    path.write_bytes(await site.sheets.list(own, None))
    assert (await site.imports.upload(own, site.villages["董家村"], "list", path)).counts.unchanged == 1
    other = village_admin(site.villages["石桥村"])
    foreign = await site.imports.upload(other, site.villages["石桥村"], "list", path)
    (stranger,) = (await site.imports.rows(other, foreign.id)).rows
    assert stranger.verdict == "bad"
    assert {one["reason"] for one in stranger.problems} == {"row_other_village", "row_camera_unknown"}
    assert all("桥头" not in str(one["params"]) for one in stranger.problems)
    assert stranger.camera_id is None


async def test_a_recorder_with_onvif_off_is_known_by_the_port_of_its_interface(site: Site) -> None:
    host = "10.0.0.9"
    site.describer.devices[host] = replace(described(host), via="hikvision")
    await site.register.devices.register(ADMIN, site.villages["董家村"], host, 80)
    known = KnownReader(site.database, DeviceChecks(site.database, ReachPolicy), FakeVault())
    (camera,) = (await known.read(ADMIN, None)).cameras
    assert camera.ports == {80, 554}
