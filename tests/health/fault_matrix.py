"""The fault matrix: many kinds of faults at once at simulated cameras, through the whole hub: `python -m
tests.health.fault_matrix [--kinds dead,black] [--seconds 240]` prints kind → expected → found → seconds, and fails on
any wrong one.

Seconds are those from the deciding observation (that with which the fault was confirmed: the second bad one) to when
the alarm with the right cause could be read over the API.
"""

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.site import Site, running_site, until

VILLAGES = 6
REGISTERED = 5  # the devices of the last one are strangers
CAMERAS = 64
LIMIT = 30.0
"""Seconds from the deciding observation within which the right cause must stand there."""

SETTINGS: dict[str, Any] = {
    "HEALTH__ROUND_SECONDS": "5",
    "HEALTH__PICTURE_SECONDS": "10",
    "HEALTH__AT_ONCE": "12",
    "HEALTH__AT_ONCE_PER_VILLAGE": "4",
    "INGEST__OPEN_TIMEOUT": "5",
    "RECORDINGS__CONFIRM_MINUTES": "0.02",
}


@dataclass(frozen=True)
class Kind:
    """A kind of fault. `place`: "device" (a single camera's), "channel" or "village"; `causes`: what is right; none: no
    alarm is. `value`: of the simulator's fault, None its default. `asked`: found by a check that must be asked for."""

    name: str
    causes: tuple[str, ...]
    place: str = "channel"
    aspect: str = "picture"
    fault: str = ""
    value: float | None = None
    asked: bool = False


def _device(name: str, *causes: str, aspect: str = "media", value: float | None = None, asked: bool = False) -> Kind:
    return Kind(name, causes, "device", aspect, value=value, asked=asked)


KINDS = (
    _device("dead", "port_closed"),
    _device("half_open", "timed_out"),
    Kind("village_down", ("village_link",), "village", "media"),
    _device("wrong_password", "wrong_password"),
    _device("locked", "locked_out"),
    _device("not_activated", "not_activated"),
    _device("device_full", "device_full"),
    _device("identity", "identity_changed"),
    _device("web_server", "not_rtsp"),
    _device("redirect", "redirected"),
    _device("multicast_only", "multicast_only"),
    _device("clock_skew", "clock_wrong", aspect="clock", value=-400.0),
    Kind("no_key_frame", ("no_key_frame",), "device", "media"),
    Kind("black", ("black",)),
    Kind("blue_screen", ("no_signal",)),
    Kind("no_signal", ("no_signal",)),
    Kind("frozen", ("frozen",)),
    Kind("covered", ("covered", "black")),
    Kind("overexposed", ("overexposed",)),
    Kind("underexposed", ("underexposed", "black")),
    Kind("blurred", ("blurred",)),
    Kind("low_contrast", ("low_contrast",)),
    Kind("colour_cast", ("colour_cast",)),
    Kind("noisy", ("noisy",)),
    Kind("striped", ("striped",)),
    Kind("moved", ("moved",)),
    _device("no_recording", "no_recording", aspect="recording", asked=True),
    _device("recording_short", "recording_short", aspect="recording", asked=True),
    # What is no fault at all.
    Kind("b_frames", (), "device"),
    Kind("rain", ()),
    Kind("headlights", ()),
    Kind("infrared", ()),
)


@dataclass
class Case:
    """A kind at its camera (or cameras), and what became of it."""

    kind: Kind
    target: str
    cameras: list[int]
    found: str = "–"
    seconds: float | None = None
    wrong: str = ""
    others: list[str] = field(default_factory=list)


@dataclass
class Row:
    """A device of the simulator with the hub's cameras, by channel key."""

    device: dict[str, Any]
    cameras: dict[str, int]


def rows_of(site: Site, village: dict[str, Any]) -> list[Row]:
    """The devices of a village, each with its registered cameras."""
    devices = {device["host"]: device["id"] for device in site.get("/api/devices")}
    cameras: dict[int, list[dict[str, Any]]] = {}
    for camera in sorted(site.cameras(), key=lambda one: one["id"]):
        cameras.setdefault(camera["device_id"], []).append(camera)
    return [
        Row(
            device,
            {
                channel["key"]: camera["id"]
                for channel, camera in zip(device["channels"], cameras[devices[device["host"]]], strict=True)
            },
        )
        for device in village["devices"]
    ]


def laid_out(site: Site, kinds: Sequence[Kind]) -> list[Case]:
    """Each kind at a place of its own: faults of devices at single cameras of two villages, so that no village is
    dark by them; faults of channels at recorders; one village is cut."""
    villages = site.villages
    singles = [row for n in (1, 3) for row in rows_of(site, villages[n])]
    channels = [
        (key, camera) for n in (0, 4) for row in rows_of(site, villages[n]) for key, camera in row.cameras.items()
    ]
    # Recorder by recorder, so that no recorder has one fault at all its channels.
    cases = []
    for kind in kinds:
        if kind.place == "village":
            village = villages[2]
            cameras = [camera for row in rows_of(site, village) for camera in row.cameras.values()]
            cases.append(Case(kind, village["key"], cameras))
        elif kind.place == "device":
            row = next(one for one in reversed(singles) if one.device["kept_days"] or not kind.asked)
            singles.remove(row)
            cases.append(Case(kind, row.device["key"], list(row.cameras.values())))
        else:
            key, camera = channels.pop()
            cases.append(Case(kind, key, [camera]))
    return cases


def switch_on(site: Site, cases: Iterable[Case]) -> None:
    """Begin all faults."""
    for case in cases:
        kind = case.kind
        if kind.name == "identity":
            _swap(site, case.target)
            continue
        body = {"target": case.target, "fault": kind.fault or kind.name, "on": True, "value": kind.value}
        answer = httpx.post(f"{site.control}/faults", json=body, timeout=30)
        assert answer.status_code == 200, answer.text


def _swap(site: Site, target: str) -> None:
    """A stranger stands at the device's address."""
    device = next(d for village in site.villages for d in village["devices"] if d["key"] == target)
    stranger = site.villages[REGISTERED]["devices"][-1]
    network = device["host"].rsplit(".", 2)[0]
    for key, address in ((target, f"{network}.250.1"), (stranger["key"], device["host"])):
        answer = httpx.post(f"{site.control}/move", json={"target": key, "address": address}, timeout=30)
        assert answer.status_code == 200, answer.text


def alarms_of(site: Site) -> list[dict[str, Any]]:
    """All alarms that were raised."""
    found: list[dict[str, Any]] = site.get("/api/alarms", limit=500)
    return found


def concerns(alarm: dict[str, Any], case: Case) -> bool:
    """Whether the alarm is about this case's cameras and aspect."""
    members = {*alarm["members"], *alarm["recovered"]}
    return alarm["aspect"] == case.kind.aspect and bool(members & set(case.cameras))


def look_for(site: Site, cases: Sequence[Case], seconds: float) -> list[dict[str, Any]]:
    """Follow the alarms until each case has its cause or the time is over; when each was first read. All alarms."""
    end = time.monotonic() + seconds
    waiting = [case for case in cases if case.kind.causes]
    seen: dict[int, datetime] = {}
    asked_at = time.monotonic()
    _ask_for_checks(site, cases)
    alarms: list[dict[str, Any]] = []
    while waiting and time.monotonic() < end:
        time.sleep(0.5)  # polling is how one waits for another process
        alarms = alarms_of(site)
        for case in list(waiting):
            mine = [one for one in alarms if concerns(one, case) and one["closed_at"] is None]
            right = next((one for one in mine if one["cause"] in case.kind.causes), None)
            if right is None or (case.kind.place == "village" and len(right["members"]) < 0.9 * len(case.cameras)):
                continue
            case.found = right["cause"]
            seen[id(case)] = datetime.now(UTC)
            waiting.remove(case)
        if time.monotonic() - asked_at > 15 and any(case.kind.asked for case in waiting):
            asked_at = time.monotonic()
            _ask_for_checks(site, waiting)
    time.sleep(20)  # what is wrong may come later
    for case in cases:
        if (at := seen.get(id(case))) is not None:
            decided = deciding(site, case)
            case.seconds = max(0.0, (at - decided).total_seconds()) if decided is not None else None
    return alarms_of(site)


def _ask_for_checks(site: Site, cases: Iterable[Case]) -> None:
    cameras = [camera for case in cases if case.kind.asked for camera in case.cameras]
    if cameras:
        site.post("/api/recordings/check", {"camera_ids": cameras})


def deciding(site: Site, case: Case) -> datetime | None:
    """When the observation was made that confirmed the fault; of a village, when enough of its cameras had theirs."""
    aspect, times = case.kind.aspect, []
    for camera in case.cameras:
        if case.kind.asked:
            states = next(one["states"] for one in site.cameras() if one["id"] == camera)
            times += [_time(one["since"]) for one in states if one["aspect"] == aspect]
            continue
        looks = site.get(f"/api/cameras/{camera}/observations", hours=0.5, limit=500)
        bad = sorted(_time(look["at"]) for look in looks if _fits(look[aspect], case))
        if len(bad) >= 2:
            times.append(bad[1])
    if not times:
        return None
    return sorted(times)[math.ceil(0.8 * len(times)) - 1]


def _fits(found: str | None, case: Case) -> bool:
    if case.kind.place == "village":
        return found in ("timed_out", "unreachable", "port_closed")
    return found in case.kind.causes


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def judge(cases: Sequence[Case], alarms: Sequence[dict[str, Any]]) -> list[str]:
    """What is wrong: causes that are missing, late or not right, and alarms of what has no fault. Empty: nothing."""
    for case in cases:
        mine = [one for one in alarms if one["closed_at"] is None and set(one["members"]) & set(case.cameras)]
        case.others = sorted({one["cause"] for one in mine if one["cause"] not in case.kind.causes})
        if case.kind.causes and case.found == "–":
            case.wrong = "not found"
        elif case.others:
            case.wrong = "wrong: " + ", ".join(case.others)
        elif case.seconds is not None and case.seconds > LIMIT:
            case.wrong = f"after more than {LIMIT:.0f} s"
    concerned = {camera for case in cases for camera in case.cameras}
    stray = [
        one for one in alarms if one["closed_at"] is None and one["members"] and not set(one["members"]) & concerned
    ]
    return [f"{case.kind.name}: {case.wrong}" for case in cases if case.wrong] + [
        f"an alarm of what has no fault: {one['level']} {one['cause']} {one['members']} {one['detail']}"
        for one in stray
    ]


def table(cases: Sequence[Case]) -> str:
    """Kind → expected cause → found cause → seconds from the deciding observation."""
    lines = [f"{'kind':<17}{'expected':<26}{'found':<18}{'seconds':>8}  wrong"]
    for case in cases:
        expected = " or ".join(case.kind.causes) or "none"
        seconds = "" if case.seconds is None else f"{case.seconds:.1f}"
        lines.append(f"{case.kind.name:<17}{expected:<26}{case.found:<18}{seconds:>8}  {case.wrong}")
    return "\n".join(lines)


def run(folder: Path, kinds: Sequence[Kind], seconds: float, say: Callable[[str], None]) -> list[str]:
    """Run the matrix; what is wrong."""
    cameras, villages = CAMERAS, VILLAGES
    with running_site(folder, villages=villages, cameras=cameras, simulator=("--gop", "2"), **SETTINGS) as site:
        site.register(REGISTERED)
        say("registered; waiting until all cameras are well")
        until(
            lambda: all(_is_well(camera) for camera in site.cameras()),
            seconds=300,
            what=lambda: f"all are well: {[(c['name'], c['states']) for c in site.cameras() if not _is_well(c)]}",
        )
        early = [one for one in alarms_of(site) if one["level"] != "hub"]  # a machine that is busy elsewhere
        assert early == [], f"nothing is wrong yet: {early}"
        cases = laid_out(site, kinds)
        for case in cases:
            if case.kind.name == "moved":
                site.post(f"/api/cameras/{case.cameras[0]}/references", {"profile": "day", "from": "now"})
        _ask_for_checks(site, cases)  # what is lost is only seen by who knows what there was
        until(lambda: _are_recording(site, cases), seconds=60, what="the recordings that there are were read")
        switch_on(site, cases)
        say(f"{len(cases)} kinds of faults at once")
        alarms = look_for(site, cases, seconds)
        wrong = judge(cases, alarms)
        say(table(cases))
        return wrong


def _is_well(camera: dict[str, Any]) -> bool:
    states = {one["aspect"]: one["state"] for one in camera["states"]}
    return states.get("media") == states.get("picture") == "ok"


def _are_recording(site: Site, cases: Iterable[Case]) -> bool:
    """Whether the cameras of the checks that must be asked for are known to record."""
    wanted = {camera for case in cases if case.kind.asked for camera in case.cameras}
    well = {
        camera["id"]
        for camera in site.cameras()
        for one in camera["states"]
        if (one["aspect"], one["state"]) == ("recording", "ok")
    }
    return wanted <= well


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: 0 when every cause was right and in time."""
    parser = argparse.ArgumentParser(prog="python -m tests.health.fault_matrix", description=__doc__)
    parser.add_argument("--kinds", default="", help="only these, by comma (default: all)")
    parser.add_argument("--seconds", type=float, default=240.0, help="how long causes are waited for")
    parser.add_argument("--folder", type=Path, help="where logs and data stay (default: a temporary folder)")
    chosen = parser.parse_args(arguments)
    names = {name for name in chosen.kinds.split(",") if name}
    kinds = [kind for kind in KINDS if not names or kind.name in names]
    if chosen.folder is not None:
        chosen.folder.mkdir(parents=True, exist_ok=True)
        wrong = run(chosen.folder, kinds, chosen.seconds, _say)
    else:
        with tempfile.TemporaryDirectory() as folder:
            wrong = run(Path(folder), kinds, chosen.seconds, _say)
    for line in wrong:
        _say(line)
    _say("all right" if not wrong else f"{len(wrong)} wrong")
    return 1 if wrong else 0


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
