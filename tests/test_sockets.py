"""Every place of the hub that opens a socket, or sends a datagram, is known here; those towards devices are allowed
first by the one decision (cameras.reach), in the same function or by the caller that is named."""

import ast
from collections.abc import Iterator

from tests.house import MODULES, PACKAGE, room, trees

OPENS = {
    "open_connection",
    "create_connection",
    "create_datagram_endpoint",
    "sock_connect",
    "connect_ex",
    "sendto",
    "HTTPConnection",
    "HTTPSConnection",
    "AsyncClient",
    "urlopen",
}
NO_DEVICES = {"simulator", "bench", "demo"}
ALLOWED = {
    # towards devices: who asks `check`, right before
    "cameras/http/connection.py:open_stream": "itself",
    "cameras/discovery/host_probe.py:_exchange": "itself",
    "cameras/discovery/host_probe.py:_opens": "itself",
    "cameras/discovery/udp.py:ask": "cameras/discovery/sweeps.py:announcement",
    "cameras/discovery/udp.py:listening": "only listens",
    "cameras/discovery/announcements.py:_listen": "only listens",
    "api/limits.py:_is_known": "opens nothing, Starlette names a request so",
    "health/rounds/reachability.py:_connect": "health/rounds/reachability.py:reach",
    # in a relay: the address of the source, which the hub allowed and pinned
    "relay/rtsp/connection.py:dial": "cameras/streams/sources.py:_chosen",
    "relay/rtsp/connection.py:speaks_tls": "cameras/streams/sources.py:_chosen",
    "relay/rtsp/udp.py:open_udp_pair": "cameras/streams/sources.py:_chosen",
    "relay/rtsp/udp.py:receive_from": "cameras/streams/sources.py:_chosen",
    "relay/rtsp/udp.py:send_rtcp": "cameras/streams/sources.py:_chosen",
    "relay/rtsp/udp.py:send_rtp": "cameras/streams/sources.py:_chosen",
    # no device
    "health/notices/sending.py:client": "an address of the township's own settings",
    "health/notices/mail.py:_connected": "a mail server of the township's own settings, or its proxy",
}


def opening() -> Iterator[tuple[str, ast.AST]]:
    """(module:function, the function) wherever a socket is opened or a datagram sent; a pipe's socket is no new one."""
    for path in MODULES:
        if room(path) in NO_DEVICES:
            continue
        for function in ast.walk(trees()[path]):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            calls = [node for node in own_nodes(function) if isinstance(node, ast.Call)]
            names = {name_of(one.func) for one in calls if not any(word.arg == "sock" for word in one.keywords)}
            names |= {name_of(one.func) for one in calls} & {"create_datagram_endpoint"}
            if names & OPENS:
                yield f"{path.relative_to(PACKAGE)}:{function.name}", function


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions within it."""
    for child in ast.iter_child_nodes(function):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from own_nodes(child)


def name_of(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def checks(function: ast.AST) -> bool:
    return any(isinstance(node, ast.Call) and name_of(node.func) in ("check", "_may") for node in ast.walk(function))


def functions() -> dict[str, list[ast.AST]]:
    found: dict[str, list[ast.AST]] = {}
    for path in MODULES:
        for node in ast.walk(trees()[path]):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.setdefault(f"{path.relative_to(PACKAGE)}:{node.name}", []).append(node)
    return found


def test_every_socket_is_known_and_those_to_devices_are_allowed_first() -> None:
    found = dict(opening())
    assert found.keys() == ALLOWED.keys()
    every = functions()
    for place, who in ALLOWED.items():
        if who == "itself":
            assert checks(found[place]), place
        elif ":" in who:
            for caller in who.split(" and "):
                assert any(checks(one) for one in every[caller]), caller
