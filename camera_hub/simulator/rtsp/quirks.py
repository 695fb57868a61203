"""How a device's RTSP server strays from RFC 2326 with the present faults. Without faults it strays nowhere."""

import asyncio
import re

from camera_hub.simulator.faults import INNER_ADDRESS, Fault
from camera_hub.simulator.listener import Line
from camera_hub.simulator.rtsp.messages import Request, response
from camera_hub.simulator.state import DeviceState

SESSION_TIMEOUT = 60.0
METHODS = ("OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "GET_PARAMETER", "SET_PARAMETER")
SESSION_PART = "session=1"
"""What the session's own control URL ends with where it is the only one that is taken."""
GROUP = "239.192.20.1"
_TIMEOUTS = (
    Fault.KEEP_ALIVE_GET_PARAMETER,
    Fault.KEEP_ALIVE_UNLISTED,
    Fault.KEEP_ALIVE_OPTIONS,
    Fault.KEEP_ALIVE_RTCP,
)
_CHUNK = 1 << 16
_TLS_HANDSHAKE = 0x16
_TLS_ALERT = bytes.fromhex("15030100020246")
"""A fatal alert, protocol_version: what TLS servers answer to plain text (RFC 8446 section 6.2)."""
_PAGE = b"<html><head><title>400 Bad Request</title></head><body><h1>400 Bad Request</h1></body></html>"
_RTPMAP = re.compile(rb"^a=(rtpmap|fmtp):", re.MULTILINE)


async def passed_on(line: Line, address: str, port: int, first: bytes) -> None:
    """Pass the connection's bytes on to another port and back, until one side ends it."""
    reader, writer = await asyncio.open_connection(address, port)
    writer.write(first)

    async def pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(_CHUNK):
            target.write(data)
            await target.drain()

    pumps = [asyncio.create_task(pump(line.reader, writer)), asyncio.create_task(pump(reader, line.writer))]
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in pumps:
            one.cancel()
        writer.transport.abort()
        await asyncio.gather(*pumps, return_exceptions=True)


class Quirks:
    """Decisions about one device's server, by the faults of the moment."""

    def __init__(self, state: DeviceState) -> None:
        self._state = state

    async def not_rtsp(self, line: Line) -> bool:
        """Answer as something else does that listens at this port; False where it is an RTSP server."""
        faults = self._state.faults()
        if faults.keys().isdisjoint((Fault.TLS_PORT, Fault.WEB_SERVER)):
            return False
        first = await line.reader.readexactly(1)
        if Fault.TLS_PORT in faults:
            if first[0] != _TLS_HANDSHAKE:
                await line.send(_TLS_ALERT)
            elif self._state.rtsps_port:
                await passed_on(line, self._state.plan.address, self._state.rtsps_port, first)
            return True
        await line.reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nContent-Length: {len(_PAGE)}\r\n"
        await line.send(head.encode() + b"Connection: close\r\n\r\n" + _PAGE)
        return True

    def written(self, status: int, request: Request, headers: list[tuple[str, str]], body: bytes) -> bytes:
        """A response as it goes out."""
        faults = self._state.faults()
        if not faults:
            return response(status, request, headers, body)
        number = request.headers.get("cseq")
        if Fault.CSEQ_MISSING in faults:
            number = None
        elif Fault.CSEQ_ZERO in faults:
            number = "0"
        elif Fault.CSEQ_BEFORE in faults and number is not None and number.isdigit():
            number = str(int(number) - 1)
        data = response(status, request, headers, body, cseq=number)
        if Fault.BLANK_HEADER_LINE in faults:
            first, rest = data.split(b"\r\n", 1)
            return first + b"\r\n \r\n" + rest
        return data

    @property
    def timeout(self) -> float:
        """Seconds after which a silent session ends."""
        faults = self._state.faults()
        return next((faults[fault] for fault in _TIMEOUTS if fault in faults), SESSION_TIMEOUT)

    @property
    def public(self) -> str:
        """The methods that OPTIONS names."""
        faults = self._state.faults()
        hidden = {"GET_PARAMETER", "SET_PARAMETER"} if Fault.KEEP_ALIVE_UNLISTED in faults else set()
        return ", ".join(method for method in METHODS if method not in hidden)

    def renewed_by(self, method: str) -> bool:
        """Whether a request keeps its session alive; "RTCP" stands for anything interleaved or over UDP."""
        faults = self._state.faults()
        if Fault.KEEP_ALIVE_OPTIONS in faults:
            return method == "OPTIONS"
        if Fault.KEEP_ALIVE_RTCP in faults:
            return method == "RTCP"
        if Fault.KEEP_ALIVE_GET_PARAMETER in faults or Fault.KEEP_ALIVE_UNLISTED in faults:
            return method == "GET_PARAMETER"
        return True

    def cut_by(self, method: str) -> bool:
        """Whether a request while it plays ends the connection without an answer."""
        faults = self._state.faults()
        if Fault.KEEP_ALIVE_RTCP in faults:
            return method in ("OPTIONS", "GET_PARAMETER", "SET_PARAMETER")
        return Fault.KEEP_ALIVE_OPTIONS in faults and method in ("GET_PARAMETER", "SET_PARAMETER")

    def before_options(self, method: str) -> int | None:
        """The status of a request that came before any OPTIONS, 0 for silence, -1 for a cut; None: it is answered."""
        value = self._state.faults().get(Fault.OPTIONS_FIRST)
        return None if value is None or method == "OPTIONS" else round(value)

    def wrong_url(self, request: Request) -> int | None:
        """The status of a PLAY or TEARDOWN whose URL is not taken; None: it is."""
        faults = self._state.faults()
        if Fault.PLAY_SESSION_URL in faults and request.method in ("PLAY", "TEARDOWN"):
            return None if request.url.endswith(SESSION_PART) else round(faults[Fault.PLAY_SESSION_URL])
        if Fault.PLAY_REFUSES_SLASH in faults and request.method == "PLAY" and request.url.endswith("/"):
            return round(faults[Fault.PLAY_REFUSES_SLASH])
        return None

    @property
    def refuses_unicast(self) -> bool:
        return Fault.MULTICAST_ONLY in self._state.faults()

    def content_base(self, base: str) -> str:
        """The Content-Base header, from the right one."""
        if Fault.CONTENT_BASE_ODD not in self._state.faults():
            return base
        path = base.split("/", 3)[-1].rstrip("/")
        return f"rtsp://{INNER_ADDRESS}/{path}"

    def description(self, sdp: bytes, base: str) -> bytes:
        """A session description, from the right one."""
        faults = self._state.faults()
        if not faults:
            return sdp
        if Fault.SDP_BARE in faults:
            lines = [
                line for line in sdp.split(b"\r\n") if line.startswith((b"m=video", b"a=control:track", b"a=rtpmap"))
            ]
            return b"\r\n".join([*lines[:3], b""])
        if Fault.PLAY_SESSION_URL in faults:
            sdp = sdp.replace(b"a=control:*", f"a=control:{base}{SESSION_PART}".encode(), 1)
        if Fault.MULTICAST_ONLY in faults:
            sdp = sdp.replace(b"c=IN IP4 0.0.0.0", f"c=IN IP4 {GROUP}/16".encode(), 1)
        if Fault.CODEC_UNNAMED in faults:
            lines = [line for line in sdp.split(b"\r\n") if not line.startswith((b"a=rtpmap:", b"a=fmtp:"))]
            sdp = b"\r\n".join(lines)
        elif Fault.SDP_TWO_TYPES in faults:
            sdp = _RTPMAP.sub(rb"a=\1: ", sdp.replace(b"RTP/AVP 96", b"RTP/AVP 98 96", 1))
            sdp = sdp.replace(b"a=rtpmap: 96", b"a=rtpmap:98 vnd.private.metadata/90000\r\na=rtpmap: 96", 1)
        return sdp
