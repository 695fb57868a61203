"""Files of cameras over a real database: values, ids, coordinates, history, completeness, filing, villages."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from camera_hub.access.policy import Actor, Role
from camera_hub.cameras.ledger.expiry import expiry_rules
from camera_hub.cameras.ledger.export import county_columns, county_rows, county_sheet
from camera_hub.cameras.ledger.fields import BY_KEY, FIELDS
from camera_hub.cameras.ledger.figures import Completeness, completeness, filing, together
from camera_hub.cameras.ledger.ledgers import FileQuery, Ledgers
from camera_hub.cameras.ledger.unconnected import UnconnectedCameras
from camera_hub.cameras.register.register import Register
from camera_hub.errors import HubError
from camera_hub.events import CameraChanged, EventBus
from camera_hub.settings import LedgerSettings
from camera_hub.store.database import Database
from camera_hub.store.retention import Retention
from camera_hub.store.tables import Device, LedgerChange, LedgerFile
from tests.cameras.fakes import ADMIN
from tests.fakes.clock import ManualClock

ZONE = ZoneInfo("Asia/Shanghai")
GB = "34012300001320000001"
AREA = ((117.0, 31.0), (118.0, 32.0))


@pytest.fixture
def ledgers(database: Database, bus: EventBus, clock: ManualClock) -> Ledgers:
    return Ledgers(database, bus, clock, LedgerSettings(division="340123", area=AREA), ZONE)


def keeper(village: int) -> Actor:
    return Actor(7, "li", "李", Role.VILLAGE_ADMIN, frozenset({village}))


@pytest.fixture
async def cameras(register: Register, villages: list[int], database: Database) -> list[int]:
    """Two cameras of one village, one of the other; the first over ONVIF."""
    first = await register.devices.register(ADMIN, villages[0], "192.168.1.64", username="admin", password="x")
    ids = [first.cameras[0].id]
    for village, host in ((villages[0], "192.168.1.70"), (villages[1], "10.0.0.9")):
        added = await register.devices.register_url(ADMIN, village, f"村口 {host}", f"rtsp://{host}/1")
        ids.append(added.cameras[0].id)
    async with database.write() as session:  # as the rounds would learn it
        for device in await session.scalars(select(Device)):
            device.mac, device.manufacturer = device.mac or "44:19:b6:01:02:03", device.manufacturer or "Hikvision"
    return ids


async def test_values_are_kept_with_who_changed_them(
    ledgers: Ledgers, cameras: list[int], villages: list[int], bus: EventBus, clock: ManualClock
) -> None:
    with bus.subscribe(CameraChanged) as events:
        (file,) = await ledgers.save(
            ADMIN,
            [cameras[0]],
            {"gb_id": GB, "manager_phone": "+86 138-1234-5678", "point_type": "二类", "lens": "4mm"},
        )
        assert await events.next() == CameraChanged(cameras[0], villages[0])
    assert file.values["gb_id"] == GB
    assert file.values["manager_phone"] == "13812345678"
    assert file.values["point_type"] == "2"
    assert file.values["division_code"] == "340123"
    assert {"name", "manufacturer", "ipv4", "protocol"} <= file.known
    clock.move(60)
    await ledgers.save(keeper(villages[0]), [cameras[0]], {"lens": "", "point_type": "2"})
    newest, *older = await ledgers.history(ADMIN, cameras[0], None, 50)
    assert (newest.field, newest.old, newest.new, newest.user_name, newest.on_behalf) == (
        "lens",
        "4mm",
        "",
        "李",
        False,
    )
    assert {one.field for one in older} == {"gb_id", "manager_phone", "point_type", "lens"}
    assert all(one.on_behalf and one.at < newest.at for one in older)
    assert await ledgers.history(ADMIN, cameras[0], older[0].id, 2) == older[1:3]
    before = (await ledgers.of(ADMIN, cameras[0])).updated_at
    clock.move(60)
    await ledgers.save(ADMIN, [cameras[0]], {"gb_id": GB})  # nothing new: nothing happened
    assert (await ledgers.of(ADMIN, cameras[0])).updated_at == before


async def test_an_id_belongs_to_one_camera(ledgers: Ledgers, cameras: list[int], villages: list[int]) -> None:
    await ledgers.save(ADMIN, [cameras[2]], {"gb_id": GB})
    for actor, name in ((ADMIN, "村口 10.0.0.9"), (keeper(villages[0]), "…")):
        with pytest.raises(HubError) as caught:
            await ledgers.save(actor, [cameras[0]], {"gb_id": GB, "lens": "8mm"})
        assert (caught.value.reason, caught.value.params) == ("value_gb_id_taken", {"field": "gb_id", "name": name})
    with pytest.raises(HubError) as caught:
        await ledgers.save(ADMIN, cameras[:2], {"gb_id": GB})
    assert caught.value.reason == "value_gb_id_taken"
    with pytest.raises(HubError) as caught:
        await ledgers.save(ADMIN, [cameras[0]], {"gb_id": "34120000001320000001"})
    assert caught.value.params["why"] == "other_division"
    assert "lens" not in (await ledgers.of(ADMIN, cameras[0])).values  # all or nothing
    await ledgers.save(ADMIN, [cameras[2]], {"gb_id": ""})
    await ledgers.save(ADMIN, [cameras[0]], {"gb_id": GB})


async def test_coordinates_are_stored_as_wgs84_and_kept_as_typed(
    ledgers: Ledgers, cameras: list[int], database: Database
) -> None:
    camera = cameras[0]
    typed = {"longitude": "117.283456", "latitude": "31.861234"}
    (file,) = await ledgers.save(ADMIN, [camera], {**typed, "datum": "高德"})
    assert file.longitude == pytest.approx(117.2781, abs=3e-4)
    assert file.latitude == pytest.approx(31.8632, abs=3e-4)
    assert file.values["datum"] == "gcj02"
    assert file.values["longitude"] == "117.283456"
    again = await ledgers.save(ADMIN, [camera], typed)  # a list that was read out, and comes in again unchanged
    assert (again[0].longitude, again[0].values["datum"]) == (file.longitude, "gcj02")
    (file,) = await ledgers.save(ADMIN, [camera], {"longitude": "117.283457"})
    assert (file.longitude, file.values["datum"]) == (117.283457, "wgs84")
    for values, field, why in (
        ({"latitude": ""}, "latitude", "pair"),
        ({"longitude": "119.123456"}, "longitude", "outside"),
        ({"longitude": "31.861234", "latitude": "117.283456"}, None, None),
    ):
        with pytest.raises(HubError) as caught:
            await ledgers.save(ADMIN, [camera], values)
        if field is None:
            assert caught.value.reason == "ledger_values"
            assert [(one["field"], one["params"]["why"]) for one in caught.value.params["fields"]] == [
                ("longitude", "swapped"),
                ("latitude", "swapped"),
            ]
        else:
            assert (caught.value.params["field"], caught.value.params["why"]) == (field, why)
    async with database.read() as session:
        row = await session.get_one(LedgerFile, camera)
    assert row.longitude == 117.283457
    (file,) = await ledgers.save(ADMIN, [camera], {"longitude": "", "latitude": ""})
    assert (file.longitude, file.values.get("datum")) == (None, None)


async def test_many_cameras_get_the_same_at_once_or_none_does(
    ledgers: Ledgers, cameras: list[int], villages: list[int]
) -> None:
    await ledgers.save(ADMIN, cameras, {"maintainer_unit": "某某公司", "maintainer_phone": "0551-62345678"}, "key_road")
    page = await ledgers.listed(ADMIN, FileQuery(place_class="key_road"))
    assert {one.values["maintainer_unit"] for one in page.files} == {"某某公司"}
    assert page.total == 3
    with pytest.raises(HubError, match="no such camera"):
        await ledgers.save(keeper(villages[0]), cameras, {"maintainer_unit": "别的"})
    assert (await ledgers.of(ADMIN, cameras[0])).values["maintainer_unit"] == "某某公司"


async def test_lists_are_filtered_paged_and_scoped(ledgers: Ledgers, cameras: list[int], villages: list[int]) -> None:
    await ledgers.save(ADMIN, [cameras[0]], {"pole_number": "G12", "service_state": "维修", "gb_id": GB})
    everything = await ledgers.listed(ADMIN, FileQuery())
    assert [one.camera_id for one in everything.files] == cameras
    assert everything.missing["landmark"] == 3
    assert everything.missing["pole_number"] == 2
    for query, expected in (
        (FileQuery(missing="pole_number"), cameras[1:]),
        (FileQuery(service_state="repair"), cameras[:1]),
        (FileQuery(text="g12"), cameras[:1]),
        (FileQuery(text=GB[-6:]), cameras[:1]),
        (FileQuery(text="ck"), cameras[1:]),
        (FileQuery(village_id=villages[1]), cameras[2:]),
        (FileQuery(connected=False), []),
        (FileQuery(offset=1, limit=1), cameras[1:2]),
    ):
        page = await ledgers.listed(ADMIN, query)
        assert [one.camera_id for one in page.files] == expected, query
    own = await ledgers.listed(keeper(villages[1]), FileQuery())
    assert [one.camera_id for one in own.files] == cameras[2:]
    assert [one.village_id for one in await ledgers.villages(keeper(villages[1]))] == [villages[1]]
    for ask in (ledgers.of(keeper(villages[1]), cameras[0]), ledgers.history(keeper(villages[1]), cameras[0], None, 5)):
        with pytest.raises(HubError, match="no such camera"):
            await ask


async def test_retired_and_removed_cameras_leave_the_figures_and_stay_in_the_list(
    ledgers: Ledgers, register: Register, cameras: list[int], villages: list[int]
) -> None:
    await register.cameras.retire(ADMIN, [cameras[0]])
    await ledgers.save(ADMIN, [cameras[1]], {"service_state": "removed", "state_since": "2026-11-01"})
    village = (await ledgers.villages(ADMIN))[0]
    assert (village.cameras, village.repair) == (0, 0)
    removed = await ledgers.listed(ADMIN, FileQuery(service_state="removed"))
    assert [one.camera_id for one in removed.files] == cameras[:2]


async def test_a_camera_that_cannot_be_reached_only_has_a_file(
    ledgers: Ledgers,
    register: Register,
    database: Database,
    bus: EventBus,
    clock: ManualClock,
    villages: list[int],
) -> None:
    unconnected = UnconnectedCameras(database, bus, clock, ledgers)
    values = {"access_kind": "云平台", "no_access_reason": "运营商未开放接口"}
    first = await unconnected.add(ADMIN, villages[0], "电信云眼 1", "school", values)
    second = await unconnected.add(keeper(villages[0]), villages[0], "电信云眼 2", "other", values)
    devices = await register.devices.all(ADMIN)
    assert [(one.kind, one.host, len(one.cameras)) for one in devices] == [("platform", "", 2)]
    states = {one.id: (one.state, one.proving, one.proof) for one in await register.cameras.all(ADMIN)}
    assert states == {first: ("approved", False, "not_connected"), second: ("waiting", False, "not_connected")}
    file = await ledgers.of(ADMIN, first)
    assert not file.connected
    assert (file.values["networked"], file.values["access_kind"]) == ("1", "cloud")
    assert not {"ipv4", "mac", "encoding"} & set(file.completeness.missing)
    assert (await ledgers.villages(ADMIN))[0].not_connected == 2
    with pytest.raises(HubError, match="no such village"):
        await unconnected.add(keeper(villages[0]), villages[1], "x", "other", {})
    with pytest.raises(HubError):
        await unconnected.add(ADMIN, villages[1], "x", "other", {"manager_phone": "1"})
    assert (await ledgers.villages(ADMIN))[1].cameras == 0  # nothing half added


async def test_the_countys_sheet_has_no_logins(
    ledgers: Ledgers, cameras: list[int], clock: ManualClock, database: Database
) -> None:
    await ledgers.save(
        ADMIN,
        [cameras[0]],
        {
            "gb_id": GB,
            "longitude": "117.283456",
            "latitude": "31.861234",
            "retention_days": "30",
            "function_type": "5/1",
        },
    )
    columns = [one.header for one in county_columns()]
    assert len(columns) == 73
    assert columns[:3] == ["序号", "设备编码（*）", "原设备编码"]
    rows = [
        dict(zip(columns, row, strict=True))
        for row in county_rows((await ledgers.listed(ADMIN, FileQuery())).files, ZONE)
    ]
    assert [row["序号"] for row in rows] == [1, 2, 3]
    assert {row["设备口令"] for row in rows} == {row["设备用户名"] for row in rows} == {""}
    first = rows[0]
    assert first["设备编码（*）"] == GB
    assert (first["经度（*）"], first["录像保存天数（*）"]) == (117.283456, 30)
    assert first["IPv4地址（*）"] == "192.168.1.64"
    assert first["设备状态（*）"] == "1-在用"
    assert first["摄像机功能类型（*）"] == "普通监控/车辆卡口"
    assert first["更新时间"] == "2026-11-23 16:00"
    assert county_sheet((await ledgers.listed(ADMIN, FileQuery())).files, ZONE).startswith(b"PK")


async def test_changes_are_kept_for_a_time(
    ledgers: Ledgers, cameras: list[int], database: Database, clock: ManualClock
) -> None:
    await ledgers.save(ADMIN, [cameras[0]], {"lens": "4mm"})
    clock.move(40 * 86400)
    await ledgers.save(ADMIN, [cameras[0]], {"lens": "8mm"})
    (rule,) = expiry_rules(LedgerSettings(changes_keep_days=30))
    assert await Retention(database, clock, [rule]).apply(rule) == 1
    async with database.read() as session:
        assert [one.new for one in await session.scalars(select(LedgerChange))] == ["8mm"]


def test_completeness_is_filled_by_asked() -> None:
    mandatory = [one.key for one in FIELDS if one.required]
    assert len(mandatory) == 33
    full = dict.fromkeys(mandatory, "x")
    assert completeness(full, connected=True).percent == 100
    assert completeness({}, connected=True).percent == 0
    one_missing = completeness(full | {"gb_id": ""}, connected=True)
    assert (one_missing.percent, one_missing.missing) == (96, ("gb_id",))
    assert completeness(full | {"ipv4": "", "ipv6": "fd00::1"}, connected=True).percent == 100
    assert completeness({}, connected=False).asked == len(mandatory) - 5
    assert together([Completeness(35, 36), Completeness(18, 36)]).percent == 73
    assert together([]).percent == 100
    assert not {one for one in mandatory if BY_KEY[one].source == "measured"}


TODAY = datetime(2026, 11, 23, tzinfo=UTC).date()


@pytest.mark.parametrize(
    ("values", "ago", "state", "left"),
    [
        ({}, 0, "due", 30),
        ({}, 30, "due", 0),
        ({}, 31, "overdue", -1),
        ({}, None, "not_in_use", None),
        ({}, -5, "not_in_use", None),
        ({"filing_state": "filed"}, 90, "filed", None),
        ({"filing_state": "submitted"}, 40, "submitted", -10),
        ({"filing_state": "not_filed", "legal_basis": "art7_gov"}, 40, "overdue", -10),
        ({"legal_basis": "art9_other"}, 90, "not_needed", None),
        ({"service_state": "removed"}, 90, "not_in_use", None),
    ],
)
def test_the_countdown_of_filing(values: dict[str, str], ago: int | None, state: str, left: int | None) -> None:
    begun = TODAY - timedelta(days=ago) if ago is not None else None
    found = filing(values, begun, TODAY, 30)
    assert (found.state, found.days_left) == (state, left)


async def test_filing_counts_from_the_approval_until_a_date_is_typed(
    ledgers: Ledgers, cameras: list[int], clock: ManualClock
) -> None:
    clock.move(20 * 86400)
    assert (await ledgers.of(ADMIN, cameras[0])).filing.days_left == 10
    await ledgers.save(ADMIN, [cameras[0]], {"enabled_on": "2026-10-01"})
    assert (await ledgers.of(ADMIN, cameras[0])).filing.state == "overdue"
    assert (await ledgers.villages(ADMIN))[0].filing_overdue == 1
    await ledgers.save(ADMIN, [cameras[0]], {"filing_state": "已备案", "filing_number": "皖-1"})
    assert (await ledgers.villages(ADMIN))[0].filed == 1
