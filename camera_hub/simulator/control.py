"""The control port of a farm: switches, the farm's description, its counters, as JSON over HTTP on loopback.

GET /farm · GET /stats · GET /ptz?target=donggou-1-3 (where domes are, whether they move, what they were told)
GET /faults · POST /faults {"target": "东沟村", "fault": "dead", "on": true, "value": null}
POST /key-frames {"target": "东沟村", "key_frames": "at_once"} (null: as the farm was started)
POST /announce {"target": "donggou-1", "kind": "hello", "count": 1, "forged": false, "to": "127.0.0.1:3702"}
(kind: or "bye"; to: null is the group) · POST /report {"target": "donggou-1-1", "active": true, "topic":
"tns1:VideoSource/MotionAlarm"} · POST /move {"target": "donggou-1", "address": "127.20.0.77", "bye": true}
"""

import asyncio
import ipaddress
import json
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl

from camera_hub.simulator.farm import Farm, UnknownTarget
from camera_hub.simulator.fault_words import WORDS
from camera_hub.simulator.faults import DEFAULT_VALUES, Fault
from camera_hub.simulator.listener import listening
from camera_hub.simulator.model import KeyFrames
from camera_hub.simulator.onvif.events import MOTION
from camera_hub.simulator.web import HttpRequest, HttpResponse, converse

_PATHS = (
    "GET /farm, GET /stats, GET /ptz, GET and POST /faults, POST /key-frames, POST /announce, POST /move, POST /report"
)
_MOST_ANNOUNCEMENTS = 100_000


class Control:
    """An async context manager around the listening port; `address` is host:port."""

    def __init__(self, farm: Farm, host: str, port: int) -> None:
        self._farm = farm
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"{self._host}:{self._port}"

    async def __aenter__(self) -> Self:
        self._server = await listening(self._accept, self._host, self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        tasks = list(self._connections)
        for task, writer in self._connections.items():
            task.cancel()
            writer.close()  # one that has not begun yet closes nothing
        await asyncio.gather(*tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._server is None:  # it was in the queue of the port that is closed now
            writer.transport.abort()
            return
        task = asyncio.create_task(self._talk(reader, writer), name="simulator-control")
        self._connections[task] = writer
        task.add_done_callback(self._connections.pop)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def send(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        try:
            await converse(reader, send, self._answer)
        except (ConnectionError, TimeoutError, asyncio.IncompleteReadError):
            pass  # peers come and go
        finally:
            writer.close()

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        match request.method, request.path:
            case "GET", "/farm":
                return _json(200, self._farm.describe())
            case "GET", "/stats":
                return _json(200, self._farm.stats())
            case "GET", "/ptz":
                return self._ptz(request.query)
            case "GET", "/faults":
                return _json(200, {"on": self._farm.describe()["faults"], "known": _known()})
            case "POST", "/faults":
                return await self._switch(request.body)
            case "POST", "/key-frames":
                return self._set_key_frames(request.body)
            case "POST", "/announce":
                return await self._order(self._announce, request.body)
            case "POST", "/report":
                return await self._order(self._report, request.body)
            case "POST", "/move":
                return await self._order(self._move, request.body)
        return _json(404, {"error": f"not found; there are {_PATHS}"})

    def _ptz(self, query: str) -> HttpResponse:
        """Where the domes are, whether they move, what they were told; of one channel or of all."""
        try:
            return _json(200, self._farm.ptz(dict(parse_qsl(query)).get("target", "")))
        except UnknownTarget as error:
            return _json(404, {"error": str(error)})

    async def _order(
        self, carry_out: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]], body: bytes
    ) -> HttpResponse:
        try:
            return _json(200, await carry_out(json.loads(body)))
        except UnknownTarget as error:
            return _json(404, {"error": str(error)})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return _json(400, {"error": f"invalid request: {error!r}"})
        except OSError as error:
            return _json(409, {"error": str(error)})

    async def _announce(self, wanted: dict[str, Any]) -> dict[str, Any]:
        count, to = int(wanted.get("count", 1)), wanted.get("to")
        if not 1 <= count <= _MOST_ANNOUNCEMENTS:
            raise ValueError(f"count must be 1 to {_MOST_ANNOUNCEMENTS}")
        host, _, port = str(to or "").rpartition(":")
        await self._farm.announce(
            str(wanted["target"]),
            wanted["kind"],
            to=(host, int(port)) if to else None,
            count=count,
            forged=bool(wanted.get("forged", False)),
        )
        return {"announced": count}

    async def _report(self, wanted: dict[str, Any]) -> dict[str, Any]:
        topic = str(wanted.get("topic", MOTION))
        return {"pull_points": self._farm.report(str(wanted["target"]), topic, active=bool(wanted.get("active", True)))}

    async def _move(self, wanted: dict[str, Any]) -> dict[str, Any]:
        address = str(wanted["address"])
        if not ipaddress.IPv4Address(address).is_loopback:
            raise ValueError("the address must be a loopback address")
        await self._farm.move(str(wanted["target"]), address, bye=bool(wanted.get("bye", True)))
        return {"address": address}

    async def _switch(self, body: bytes) -> HttpResponse:
        try:
            wanted = json.loads(body)
            target, fault, on, value = (
                str(wanted["target"]),
                Fault(wanted["fault"]),
                wanted.get("on", True),
                wanted.get("value"),
            )
            if not isinstance(on, bool) or not isinstance(value, int | float | None):
                raise TypeError("on must be true or false, value a number")
            await self._farm.set_fault(target, fault, on=on, value=value)
        except UnknownTarget as error:
            return _json(404, {"error": str(error)})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return _json(400, {"error": f"invalid request: {error}", "faults": [one.value for one in Fault]})
        return _json(200, {"faults": self._farm.describe()["faults"]})

    def _set_key_frames(self, body: bytes) -> HttpResponse:
        try:
            wanted = json.loads(body)
            target, key_frames = str(wanted["target"]), wanted["key_frames"]
            self._farm.set_key_frames(target, key_frames)
        except UnknownTarget as error:
            return _json(404, {"error": str(error)})
        except (ValueError, KeyError, TypeError) as error:
            return _json(400, {"error": f"invalid request: {error}", "key_frames": [one.value for one in KeyFrames]})
        return _json(200, {"target": target, "key_frames": key_frames})


def _known() -> list[dict[str, Any]]:
    """Every fault with its sentences."""
    return [
        {"fault": fault.value, "en": words.en, "zh": words.zh, "value": DEFAULT_VALUES.get(fault)}
        for fault, words in WORDS.items()
    ]


def _json(status: int, value: dict[str, Any]) -> HttpResponse:
    return HttpResponse(status, json.dumps(value, ensure_ascii=False).encode(), "application/json")
