"""`camera-hub bench cases`: field cases through the whole hub, each on a simulated camera of its own, side by side."""

import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx

from camera_hub.bench.case_plan import CASE_VIEWERS, Case, CasesPlan, Count, met
from camera_hub.bench.case_players import Player, RtspPlayers, Wall, wall
from camera_hub.bench.lines import Lines
from camera_hub.bench.view_site import Site, hub
from camera_hub.clock import Clock
from camera_hub.demo.farm import Farm, farm, free_network

_MORE = {
    "CAMERA_HUB_MEDIA__RTSP_HOST": "127.0.0.1",
    "CAMERA_HUB_MEDIA__RTSP_PORT": "0",
    "CAMERA_HUB_MEDIA__LOAD_LIMIT": "1",  # a busy machine is no reason of a camera's
}


async def run(plan: CasesPlan, clock: Clock, lines: Lines) -> bool:
    """A line per case. False when a case that can play lost pictures, or another had no reason. Raises HubError."""
    well = True
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="camera-hub-cases-")))
        count = len(plan.cases)
        words = ("--h265-only", str(count)) if plan.h265 else ()
        farmed = await stack.enter_async_context(farm(count, count, free_network(), folder / "pictures", words))
        site = await stack.enter_async_context(hub(folder, clock, farmed, more=_MORE))
        cameras = await _cameras(site, farmed)
        by_case = dict(zip(plan.cases, cameras, strict=True))
        control = await stack.enter_async_context(
            httpx.AsyncClient(base_url=farmed.control, timeout=30.0, trust_env=False)
        )
        for case, camera in by_case.items():
            for fault, value in case.faults:
                order = {"target": cameras[camera], "fault": fault, "on": True, "value": value}
                (await control.post("/faults", json=order)).raise_for_status()
            if case.key_frames is not None:
                order = {"target": cameras[camera], "key_frames": case.key_frames}
                (await control.post("/key-frames", json=order)).raise_for_status()
        token = await _token(site, len(cameras)) if "rtsp" in plan.viewers else {}
        for first in range(0, len(plan.cases), plan.at_once):
            batch = {by_case[case]: case for case in plan.cases[first : first + plan.at_once]}
            keys = {camera: cameras[camera] for camera in batch}
            async with AsyncExitStack() as showing:
                shown = await showing.enter_async_context(wall(site.api, tuple(batch)))
                players: list[Player] = [shown] if "webrtc" in plan.viewers else []
                if token:
                    players.insert(
                        0, await showing.enter_async_context(RtspPlayers({one: token[one] for one in batch}))
                    )
                await clock.sleep(plan.warm_up)
                before = await _counts(control, shown, players, keys)
                await clock.sleep(plan.seconds)
                after = await _counts(control, shown, players, keys)
                for camera, case in batch.items():
                    line = _line(case, after[camera].since(before[camera]), shown, camera, plan)
                    well = well and bool(line["met"])
                    lines.write(line)
    return well


def _line(case: Case, got: Count, shown: Wall, camera: int, plan: CasesPlan) -> dict[str, Any]:
    tile = shown.tiles[camera]
    names = [name for name in CASE_VIEWERS if name in plan.viewers]
    return {
        "case": case.name,
        "seconds": plan.seconds,
        "sent": got.sent,
        "delivered": got.delivered,
        **{f"decoded_{name}": count for name, count in zip(names, got.decoded, strict=True)},
        "share": min(got.decoded) / got.sent if got.sent else None,
        "opens": got.opens,
        "in_clear": got.in_clear,
        "state": tile.state,
        "reason": tile.reason,
        "detail": tile.detail,
        "met": met(case, got, plan.share, tile.reason),
    }


async def _cameras(site: Site, farmed: Farm) -> dict[int, str]:
    """The key of each camera's device in the farm, in the farm's order."""
    devices = {row["id"]: row["host"] for row in await site.api("GET", "/api/devices")}
    by_host = {devices[row["device_id"]]: int(row["id"]) for row in await site.api("GET", "/api/cameras")}
    return {by_host[device.host]: device.key for village in farmed.villages for device in village.devices}


async def _token(site: Site, cameras: int) -> dict[int, str]:
    """The RTSP URL of each camera's sub stream, by a token for all."""
    made = await site.api("POST", "/api/rtsp-out/tokens", {"name": "bench", "max_sessions": 4 * cameras})
    return {row["camera_id"]: f"rtsp://127.0.0.1:{row['port']}{row['path']}/sub" for row in made["addresses"]}


async def _counts(
    control: httpx.AsyncClient, shown: Wall, players: list[Player], cameras: Mapping[int, str]
) -> dict[int, Count]:
    """All counters at one moment."""
    decoded = {camera: tuple(player.decoded(camera) for player in players) for camera in cameras}
    devices = (await control.get("/stats")).json()["devices"]
    feeds = await shown.figures()
    found = {}
    for camera, key in cameras.items():
        feed = feeds.get(camera, {})
        sent = devices[key]["frames"].get(f"{key}-1/sub", 0)
        in_clear = devices[key]["basic_logins"]
        found[camera] = Count(sent, feed.get("frames", 0), feed.get("opens", 0), decoded[camera], in_clear)
    return found
