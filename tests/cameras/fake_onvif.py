"""A small ONVIF device over real TCP, with canned answers and a handful of field quirks and hostile modes."""

import asyncio
import base64
import gzip
import hashlib
import re
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Self

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl"'
    ' xmlns:tr2="http://www.onvif.org/ver20/media/wsdl" xmlns:tt="http://www.onvif.org/ver10/schema"'
    ' xmlns:ter="http://www.onvif.org/ver10/error"><s:Body>{}</s:Body></s:Envelope>'
)
NOT_AUTHORIZED = (
    "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode></s:Code>"
    '<s:Reason><s:Text xml:lang="en">{}</s:Text></s:Reason></s:Fault>'
)
_BOMB = gzip.compress(b"<a/>" + b" " * 8_000_000, 1)
_OPEN = {"GetSystemDateAndTime", "GetServices", "GetCapabilities", "GetHostname", "GetEndpointReference"}


@dataclass
class FakeDevice:
    """Start it with `async with`. `mode` is what it does to every request; "" is a well-behaved device."""

    address: str = "127.0.0.1"
    port: int = 0
    auth: str = "token"  # none | digest | token
    username: str = "admin"
    password: str = "village-1"
    skew: timedelta = timedelta()
    sources: int = 1
    names: tuple[str, ...] = ("村口",)
    scope_name: str = "Gate%20camera"
    serial: str = "SN20240001"
    mac: str = "02:00:00:00:00:01"
    model: str = "VC-1"
    endpoint: str = ""  # "": it does not tell
    xaddr: str = "http://192.168.1.64:80"  # what it believes its own address is
    stream: str = "rtsp://192.168.1.64:8554/ch{source}/{role}"
    media1: bool = True
    media2: bool = False
    osd: bool = False
    h265_main: bool = False
    mode: str = ""
    canary: str = "http://127.0.0.1:9/"
    source_token: str = "source"  # of media2
    refusal: str = "Sender not Authorized"
    refused: tuple[str, ...] = ()  # operations that it answers with a fault
    mangle: Callable[[str], bytes] = str.encode  # what becomes of each envelope before it is sent
    clock: str = ""  # what it says in place of its clock
    hides: int = 0  # the status with which it answers, without a body, what carries no right login
    hides_clock: bool = False
    true_time: bool = False  # it judges tokens by true time, whatever its clock shows
    keeps: bool = False  # it keeps connections
    tls: ssl.SSLContext | None = None
    headers: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    called: asyncio.Event = field(default_factory=asyncio.Event)  # set by the first call
    proofs: list[str] = field(default_factory=list)
    connections: int = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self.address, self.port, limit=1024 * 1024, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self._open: set[asyncio.Task[None]] = set()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def at_once(self) -> int:
        return len(self._open)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.connections += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._answer(reader, writer)
                while self.keeps:
                    await self._answer(reader, writer)
        finally:
            self._open.discard(task)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
        body = (await reader.readexactly(int(length[1]))).decode() if length else ""
        operation = re.search(r"Body>\s*<(?:\w+:)?(\w+)", body)
        name = operation[1] if operation else ""
        self.calls.append(name)
        self.called.set()
        match self.mode:
            case "silent":
                await asyncio.Event().wait()
            case "drip":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\n\r\n")
                while True:
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.sleep(0.02)
            case "302" | "307":
                return self._send(writer, int(self.mode), b"", {"Location": self.canary})
            case "giant":
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                while True:
                    writer.write(b"<a>" * 30000)
                    await writer.drain()
            case "announced":
                return self._send(writer, 200, b"", {"Content-Length": "999999999"})
            case "gzip":
                return self._send(writer, 200, _BOMB, {"Content-Encoding": "gzip"})
            case "xxe":
                text = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + _ENVELOPE.format("&x;")[38:]
                return self._send(writer, 200, text.encode())
            case "bomb":
                lols = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 12))
                text = f'<!DOCTYPE a [<!ENTITY l0 "lol">{lols}]>' + _ENVELOPE.format("&l11;")[38:]
                return self._send(writer, 200, text.encode())
            case "html":
                return self._send(writer, 200, b"<html><body>Web login</body></html>")
            case "empty":
                return self._send(writer, 200, b"")
            case "404":
                return self._send(writer, 404, b"not found")
            case "no_http":
                writer.write(b"\x00\x01\x02garbage\r\n\r\n")
                return None
            case "deep":
                return self._send(writer, 200, _ENVELOPE.format("<a>" * 3000 + "</a>" * 3000).encode())
            case _:
                pass
        open_ = name in _OPEN and not (self.hides_clock and name == "GetSystemDateAndTime")
        if not open_ and not self._admitted(head, body):
            if self.hides:
                return self._send(writer, self.hides, b"")
            if self.auth == "digest":
                header = {"WWW-Authenticate": 'Digest realm="cam", nonce="abc123", qop="auth", algorithm=MD5'}
                return self._send(writer, 401, b"", header)
            return self._send(writer, 400, _ENVELOPE.format(NOT_AUTHORIZED.format(self.refusal)).encode())
        answer = self._operation(name, body, media2="ver20/media" in body) if name not in self.refused else None
        if answer is None:
            fault = NOT_AUTHORIZED.format("Action not implemented").replace("NotAuthorized", "ActionNotSupported")
            return self._send(writer, 500, _ENVELOPE.format(fault).encode())
        return self._send(writer, 200, _ENVELOPE.format(answer).encode())

    def _send(
        self, writer: asyncio.StreamWriter, status: int, body: bytes, extra: dict[str, str] | None = None
    ) -> None:
        with suppress(UnicodeDecodeError):
            body = self.mangle(body.decode())
        headers = {
            "Content-Type": "application/soap+xml; charset=utf-8",
            "Content-Length": str(len(body)),
            **self.headers,
            **(extra or {}),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + body)

    def _admitted(self, head: str, body: str) -> bool:
        if self.auth == "none":
            return True
        if self.auth == "digest":
            match = re.search(r"Authorization: Digest (.*)\r", head, re.IGNORECASE)
            if match is None:
                return False
            self.proofs.append("digest")
            values = dict(re.findall(r'(\w+)="?([^",]+)"?', match[1]))

            def md5(text: str) -> str:
                return hashlib.md5(text.encode()).hexdigest()

            ha1, ha2 = md5(f"{self.username}:cam:{self.password}"), md5(f"POST:{values['uri']}")
            return str(values["response"]) == md5(f"{ha1}:abc123:{values['nc']}:{values['cnonce']}:auth:{ha2}")
        values = dict(re.findall(r"<(?:\w+:)?(Username|Password|Nonce|Created)(?: [^>]*)?>([^<]*)<", body))
        if "Password" not in values:
            return False
        self.proofs.append("token")
        created = datetime.strptime(values["Created"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        shown = NOW if self.true_time else NOW + self.skew
        if abs((created - shown).total_seconds()) > 5 or values["Username"] != self.username:
            return False
        digest = hashlib.sha1(
            base64.b64decode(values["Nonce"]) + values["Created"].encode() + self.password.encode()
        ).digest()
        return base64.b64encode(digest).decode() == str(values["Password"])

    def _operation(self, name: str, body: str, *, media2: bool) -> str | None:
        token = (re.search(r"ProfileToken>([^<]*)<", body) or ["", ""])[1]
        if name == "GetSystemDateAndTime" and self.clock:
            return f"<tds:GetSystemDateAndTimeResponse>{self.clock}</tds:GetSystemDateAndTimeResponse>"
        if name == "GetSystemDateAndTime":
            at = NOW + self.skew
            return (
                "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType>"
                "<tt:DaylightSavings>false</tt:DaylightSavings><tt:UTCDateTime><tt:Time>"
                f"<tt:Hour>{at.hour}</tt:Hour><tt:Minute>{at.minute}</tt:Minute><tt:Second>{at.second}</tt:Second>"
                f"</tt:Time><tt:Date><tt:Year>{at.year}</tt:Year><tt:Month>{at.month}</tt:Month><tt:Day>{at.day}</tt:Day>"
                "</tt:Date></tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
            )
        if name == "GetServices":
            services = [("ver10/device", "/onvif/device_service")]
            services += [("ver10/media", "/onvif/media")] if self.media1 else []
            services += [("ver20/media", "/onvif/media2")] if self.media2 else []
            return "<tds:GetServicesResponse>{}</tds:GetServicesResponse>".format(
                "".join(
                    f"<tds:Service><tds:Namespace>http://www.onvif.org/{space}/wsdl</tds:Namespace>"
                    f"<tds:XAddr>{self.xaddr}{path}</tds:XAddr>"
                    "<tds:Version><tt:Major>2</tt:Major><tt:Minor>0</tt:Minor></tds:Version></tds:Service>"
                    for space, path in services
                )
            )
        if name == "GetDeviceInformation":
            return (
                "<tds:GetDeviceInformationResponse><tds:Manufacturer>Virtual</tds:Manufacturer>"
                f"<tds:Model>{self.model}</tds:Model><tds:FirmwareVersion>1.2</tds:FirmwareVersion>"
                f"<tds:SerialNumber>{self.serial}</tds:SerialNumber><tds:HardwareId>1</tds:HardwareId>"
                "</tds:GetDeviceInformationResponse>"
            )
        if name == "GetEndpointReference" and self.endpoint:
            return (
                f"<tds:GetEndpointReferenceResponse><tds:GUID>{self.endpoint}</tds:GUID>"
                "</tds:GetEndpointReferenceResponse>"
            )
        if name == "GetNetworkInterfaces":
            return (
                '<tds:GetNetworkInterfacesResponse><tds:NetworkInterfaces token="eth0"><tt:Enabled>true</tt:Enabled>'
                f"<tt:Info><tt:Name>eth0</tt:Name><tt:HwAddress>{self.mac}</tt:HwAddress></tt:Info>"
                "</tds:NetworkInterfaces></tds:GetNetworkInterfacesResponse>"
            )
        if name == "GetScopes":
            return (
                "<tds:GetScopesResponse><tds:Scopes><tt:ScopeDef>Fixed</tt:ScopeDef>"
                f"<tt:ScopeItem>onvif://www.onvif.org/name/{self.scope_name}</tt:ScopeItem></tds:Scopes>"
                "</tds:GetScopesResponse>"
            )
        if name == "GetProfiles" and media2 and self.media2:
            return f"<tr2:GetProfilesResponse>{self._profiles2()}</tr2:GetProfilesResponse>"
        if name == "GetProfiles" and not media2 and self.media1:
            return f"<trt:GetProfilesResponse>{self._profiles1()}</trt:GetProfilesResponse>"
        if name == "GetStreamUri" and token:
            source, role = token.split("_")[1:]
            uri = self.stream.format(source=source, role=role)
            if media2:
                return f"<tr2:GetStreamUriResponse><tr2:Uri>{uri}</tr2:Uri></tr2:GetStreamUriResponse>"
            return (
                f"<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>{uri}</tt:Uri>"
                "<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot>"
                "<tt:Timeout>PT0S</tt:Timeout></trt:MediaUri></trt:GetStreamUriResponse>"
            )
        if name == "GetOSDs" and self.osd:
            return "<trt:GetOSDsResponse>{}</trt:GetOSDsResponse>".format(
                "".join(
                    f'<trt:OSDs token="osd{n}"><tt:VideoSourceConfigurationToken>vsc{n}'
                    "</tt:VideoSourceConfigurationToken>"
                    "<tt:Type>Text</tt:Type><tt:Position><tt:Type>UpperLeft</tt:Type></tt:Position><tt:TextString>"
                    f"<tt:Type>Plain</tt:Type><tt:PlainText>画面{n}号</tt:PlainText></tt:TextString></trt:OSDs>"
                    for n in range(1, self.sources + 1)
                )
            )
        if name == "SetSynchronizationPoint":
            return "<trt:SetSynchronizationPointResponse/>"
        return None

    def _name(self, source: int) -> str:
        return self.names[source - 1] if source <= len(self.names) else f"VideoSource_{source}"

    def _profiles1(self) -> str:
        return "".join(
            f'<trt:Profiles token="profile_{n}_{role}" fixed="true"><tt:Name>{role}Stream</tt:Name>'
            f'<tt:VideoSourceConfiguration token="vsc{n}"><tt:Name>{self._name(n)}</tt:Name>'
            f"<tt:UseCount>1</tt:UseCount><tt:SourceToken>source{n}</tt:SourceToken>"
            f'<tt:Bounds x="0" y="0" width="1280" height="720"/>'
            f'</tt:VideoSourceConfiguration><tt:VideoEncoderConfiguration token="enc{n}{role}"><tt:Name>e</tt:Name>'
            f"<tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>{width}</tt:Width>"
            f"<tt:Height>{height}</tt:Height></tt:Resolution><tt:Quality>3</tt:Quality><tt:SessionTimeout>PT60S"
            "</tt:SessionTimeout></tt:VideoEncoderConfiguration></trt:Profiles>"
            for n in range(1, self.sources + 1)
            for role, width, height in (("main", 1280, 720), ("sub", 640, 360))
        )

    def _profiles2(self) -> str:
        return "".join(
            f'<tr2:Profiles token="profile_{n}_{role}" fixed="true"><tr2:Name>{role}Stream</tr2:Name>'
            f'<tr2:Configurations><tr2:VideoSource token="vsc{n}"><tt:Name>{self._name(n)}</tt:Name>'
            f"<tt:UseCount>1</tt:UseCount><tt:SourceToken>{self.source_token}{n}</tt:SourceToken></tr2:VideoSource>"
            f'<tr2:VideoEncoder token="enc{n}{role}"><tt:Name>e</tt:Name><tt:Encoding>{codec}</tt:Encoding>'
            f"<tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:Resolution>"
            "</tr2:VideoEncoder></tr2:Configurations></tr2:Profiles>"
            for n in range(1, self.sources + 1)
            for role, width, height, codec in (
                ("main", 1280, 720, "H265" if self.h265_main else "H264"),
                ("sub", 640, 360, "H264"),
            )
        )
