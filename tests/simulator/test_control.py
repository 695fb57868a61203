"""The farm as a process of its own, switched over its control port."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from camera_hub.simulator import cli
from camera_hub.simulator.control import Control
from camera_hub.simulator.faults import Fault
from camera_hub.simulator.testing import own_network, small_farm
from tests.simulator.peers import DEADLINE, RtspClient


@pytest.fixture
async def control() -> AsyncIterator[Control]:
    async with small_farm() as farm, Control(farm, "127.0.0.1", 0) as control:
        yield control


async def ask(control: Control, method: str, path: str, body: object = None) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=DEADLINE) as client:
        return await client.request(method, f"http://{control.address}{path}", json=body)


async def test_faults_are_switched_and_listed(control: Control) -> None:
    reply = await ask(control, "POST", "/faults", {"target": "东沟村", "fault": "clock_skew", "on": True, "value": 60})
    assert reply.json() == {"faults": [{"target": "donggou", "fault": "clock_skew", "value": 60}]}
    assert (await ask(control, "GET", "/farm")).json()["faults"] == reply.json()["faults"]
    reply = await ask(control, "POST", "/faults", {"target": "东沟村", "fault": "clock_skew", "on": False})
    assert reply.json() == {"faults": []}


async def test_every_fault_is_told_with_a_sentence_in_both_languages(control: Control) -> None:
    reply = (await ask(control, "GET", "/faults")).json()
    assert reply["on"] == []
    assert {one["fault"] for one in reply["known"]} == {fault.value for fault in Fault}
    assert all(one["en"].endswith(".") and one["zh"].endswith("。") for one in reply["known"])
    shown = cli.parser().format_help()
    assert all(f"\n  {fault.value}" in shown for fault in Fault)


async def test_key_frames_are_switched_and_shown(control: Control) -> None:
    async def shown() -> str:
        (village,) = (await ask(control, "GET", "/farm")).json()["villages"]
        return str(village["devices"][0]["channels"][0]["key_frames"])

    assert await shown() == "first_only"
    reply = await ask(control, "POST", "/key-frames", {"target": "东沟村", "key_frames": "wait"})
    assert reply.json() == {"target": "东沟村", "key_frames": "wait"}
    await ask(control, "POST", "/key-frames", {"target": "donggou-1-1", "key_frames": "at_once"})
    assert await shown() == "at_once"
    await ask(control, "POST", "/key-frames", {"target": "donggou-1-1", "key_frames": None})
    assert await shown() == "wait"
    await ask(control, "POST", "/key-frames", {"target": "东沟村", "key_frames": None})
    assert await shown() == "first_only"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"target": "nowhere", "key_frames": "wait"}, 404),
        ({"target": "donggou", "key_frames": "soon"}, 400),
        ({"target": "donggou", "key_frames": ["wait"]}, 400),
        ({"target": "donggou"}, 400),
        ("wait", 400),
    ],
)
async def test_key_frames_that_make_no_sense_are_refused(control: Control, body: object, status: int) -> None:
    reply = await ask(control, "POST", "/key-frames", body)
    assert reply.status_code == status
    assert reply.json()["error"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"target": "nowhere", "fault": "dead"}, 404),
        ({"target": "donggou", "fault": "sleepy"}, 400),
        ({"target": "donggou", "fault": "dead", "on": "yes"}, 400),
        ({"target": "donggou", "fault": "dead", "value": "much"}, 400),
        ({"fault": "dead"}, 400),
        (["dead"], 400),
        (None, 400),
    ],
)
async def test_orders_that_make_no_sense_are_refused(control: Control, body: object, status: int) -> None:
    reply = await ask(control, "POST", "/faults", body)
    assert reply.status_code == status
    assert reply.json()["error"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/announce", {"target": "nowhere", "kind": "hello"}, 404),
        ("/announce", {"target": "donggou", "kind": "hello"}, 404),
        ("/announce", {"target": "donggou-1", "kind": "shout"}, 400),
        ("/announce", {"target": "donggou-1", "kind": "hello", "count": 10**9}, 400),
        ("/announce", {"target": "donggou-1", "kind": "hello", "to": "somewhere"}, 400),
        ("/move", {"target": "donggou-1", "address": "10.0.0.1"}, 400),
        ("/move", {"target": "donggou-1"}, 400),
        ("/move", ["donggou-1"], 400),
    ],
)
async def test_what_cannot_be_announced_or_moved_is_refused(
    control: Control, path: str, body: object, status: int
) -> None:
    reply = await ask(control, "POST", path, body)
    assert reply.status_code == status, reply.text
    assert reply.json()["error"]


async def test_a_device_moves_with_its_marks_and_says_so_on_demand(control: Control) -> None:
    async def told() -> dict[str, Any]:
        (village,) = (await ask(control, "GET", "/farm")).json()["villages"]
        device: dict[str, Any] = village["devices"][0]
        return device

    before = await told()
    address = before["host"].rpartition(".")[0] + ".77"
    assert (await ask(control, "POST", "/move", {"target": "donggou-1", "address": address})).json()[
        "address"
    ] == address
    after = await told()
    assert after["host"] == address
    assert [after[mark] for mark in ("serial", "mac", "uuid", "http_port")] == [
        before[mark] for mark in ("serial", "mac", "uuid", "http_port")
    ]
    with pytest.raises(ConnectionRefusedError):
        await RtspClient.connect(before["host"], before["rtsp_port"])
    client = await RtspClient.connect(address, after["rtsp_port"])
    assert (await client.ask("OPTIONS", after["channels"][0]["sub_url"])).status == 200
    await client.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.setblocking(False)
        listener.bind(("127.0.0.1", 0))
        to = f"127.0.0.1:{listener.getsockname()[1]}"
        endpoints = set()
        for kind, forged in (("hello", False), ("bye", False), ("hello", True)):
            body = {"target": "donggou-1", "kind": kind, "to": to, "count": 3, "forged": forged}
            assert (await ask(control, "POST", "/announce", body)).status_code == 200
            for _ in range(3):
                async with asyncio.timeout(DEADLINE):
                    data = await asyncio.get_running_loop().sock_recv(listener, 65536)
                assert f"/{kind.capitalize()}</a:Action>".encode() in data
                endpoints.add(data.partition(b"urn:uuid:")[2].partition(b"</a:Address>")[0][-36:])
    assert after["uuid"].encode() in endpoints
    assert len(endpoints) == 4


async def test_unknown_paths_say_what_there_is(control: Control) -> None:
    reply = await ask(control, "GET", "/elsewhere")
    assert reply.status_code == 404
    assert "/stats" in reply.json()["error"]


async def test_stats_count_connections(control: Control) -> None:
    (village,) = (await ask(control, "GET", "/farm")).json()["villages"]
    (device,) = village["devices"]
    client = await RtspClient.connect(device["host"], device["rtsp_port"])
    await client.ask("OPTIONS", device["channels"][0]["sub_url"])
    await client.close()
    counted = (await ask(control, "GET", "/stats")).json()["devices"][device["key"]]
    assert (counted["rtsp_connections"], counted["requests"]) == (1, {"OPTIONS": 1})


async def test_the_farm_runs_as_a_process_and_says_when_it_is_ready() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "camera_hub.simulator", "--villages", "2", "--cameras", "3", "--network", own_network(),
        "--http-port", "0", "--rtsp-port", "0", "--no-discovery", "--faults", "1",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(DEADLINE):
            ready: dict[str, Any] = json.loads(await process.stdout.readline())
        assert ready["ready"] is True
        assert [village["cameras"] for village in ready["villages"]] == [2, 1]
        assert [fault["fault"] for fault in ready["faults"]] == ["wrong_password"]
        device = ready["villages"][0]["devices"][0]
        assert {"kind", "name", "host", "onvif_port", "rtsp_port", "username", "password", "channels"} <= device.keys()
        async with httpx.AsyncClient(trust_env=False, timeout=DEADLINE) as client:
            stats = (await client.get(f"http://{ready['control']}/stats")).json()
        assert len(stats["devices"]) == 3
    finally:
        process.terminate()
        async with asyncio.timeout(DEADLINE):
            assert await process.wait() == 0


async def test_a_farm_ends_with_whoever_started_it() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "camera_hub.simulator", "--villages", "1", "--cameras", "1", "--network", own_network(),
        "--http-port", "0", "--rtsp-port", "0", "--no-discovery", "--with-stdin",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(DEADLINE):
        assert process.stdout is not None
        assert process.stdin is not None
        await process.stdout.readline()
        process.stdin.close()
        assert await process.wait() == 0


def test_a_farm_whose_address_is_taken_fails_with_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    network = own_network()
    with socket.create_server((f"{network}.0.1", 0)) as taken:
        arguments = ["--villages", "1", "--cameras", "1", "--network", network, "--no-discovery"]
        arguments += ["--http-port", "0", "--rtsp-port", str(taken.getsockname()[1])]
        assert cli.main(arguments) == 1
    assert "address already in use" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["0.0.0.0:9000", "9000", "127.0.0.1:x", "127.0.0.1:70000"])
def test_the_control_port_is_on_loopback_only(address: str) -> None:
    with pytest.raises(SystemExit):
        cli.parser().parse_args(["--control", address])
