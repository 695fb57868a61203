"""Devices as they are in the field: what they say, and what is to become of it. The numbers are those of the cases."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.onvif import faults
from camera_hub.cameras.onvif.client import Onvif
from camera_hub.cameras.onvif.targets import OnvifTarget
from camera_hub.errors import HubError, Kind, Reason
from camera_hub.settings import DiscoverySettings
from tests.cameras.fake_onvif import NOW, FakeDevice
from tests.cameras.scripted_peer import ScriptedPeer, http, tls_context
from tests.fakes.clock import ManualClock
from tests.fakes.reach import anywhere

LOGIN = DeviceLogin("admin", "village-1")
WRONG = DeviceLogin("admin", "wrong")
SOAP12, SOAP11 = "http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/"


@pytest.fixture
async def onvif(clock: ManualClock) -> AsyncIterator[Onvif]:
    settings = DiscoverySettings(onvif_timeout=4.0, host_timeout=1.0, reply_bytes=65536)
    async with Onvif(settings, clock, check=anywhere) as onvif:
        yield onvif


# -- 21 and 22: clocks


def _time(at: datetime) -> str:
    return (
        f"<tt:Time><tt:Hour>{at.hour}</tt:Hour><tt:Minute>{at.minute}</tt:Minute><tt:Second>{at.second}</tt:Second>"
        f"</tt:Time><tt:Date><tt:Year>{at.year}</tt:Year><tt:Month>{at.month}</tt:Month><tt:Day>{at.day}</tt:Day></tt:Date>"
    )


def _local(zone: str, hours: float) -> str:
    return (
        "<tds:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>"
        f"<tt:TimeZone><tt:TZ>{zone}</tt:TZ></tt:TimeZone>"
        f"<tt:LocalDateTime>{_time(NOW + timedelta(hours=hours))}</tt:LocalDateTime></tds:SystemDateAndTime>"
    )


@pytest.mark.parametrize("auth", ["digest", "token", "none"])
async def test_a_device_that_refuses_its_clock_is_registered_all_the_same(onvif: Onvif, auth: str) -> None:
    async with FakeDevice(auth=auth, refused=("GetSystemDateAndTime",)) as device:
        found = await onvif.describe("127.0.0.1", device.port, LOGIN)
        reading = await onvif.clock("127.0.0.1", device.port)
    assert (found.clock_offset_s, reading.offset_s) == (None, None)
    assert found.peculiarities == {"no_clock": "refused"} | ({"digest_offered": "yes"} if auth == "digest" else {})


@pytest.mark.parametrize(
    ("zone", "hours"),
    [("CST-8", 8), ("CST-8:00:00", 8), ("GMT+08:00", 8), ("CET-1CEST,M3.5.0,M10.5.0/3", 1), ("EST5EDT", -5)],
)
async def test_a_local_time_with_its_zone_is_a_clock(onvif: Onvif, zone: str, hours: float) -> None:
    async with FakeDevice(clock=_local(zone, hours)) as device:
        found = await onvif.describe("127.0.0.1", device.port, LOGIN)
    assert found.clock_offset_s == pytest.approx(0.0, abs=1.5)
    assert found.peculiarities == {"no_clock": "local time only"}


@pytest.mark.parametrize(
    "says",
    [
        " ",
        "<tds:SystemDateAndTime/>",
        "<tds:SystemDateAndTime><tt:UTCDateTime/></tds:SystemDateAndTime>",
        "<tds:SystemDateAndTime><tt:UTCDateTime><tt:Time><tt:Hour>x</tt:Hour></tt:Time></tt:UTCDateTime>"
        "</tds:SystemDateAndTime>",
        _local("nowhere", 8),
    ],
)
async def test_without_a_usable_time_the_hubs_is_taken(onvif: Onvif, says: str) -> None:
    async with FakeDevice(clock=says) as device:
        found = await onvif.describe("127.0.0.1", device.port, LOGIN)
    assert found.clock_offset_s is None
    assert found.peculiarities == {"no_clock": "no usable time"}


@pytest.mark.parametrize("hours", [8, -8, 5.5])
async def test_a_clock_that_shows_local_time_costs_one_more_sending_in_one_try(onvif: Onvif, hours: float) -> None:
    async with FakeDevice(skew=timedelta(hours=hours), true_time=True) as device:
        found = await onvif.describe("127.0.0.1", device.port, LOGIN)
        assert found.peculiarities == {"clock_local_time": f"{hours:+g} h"}
        sent = len(device.proofs)
        await onvif.describe("127.0.0.1", device.port, LOGIN)
        assert len(device.proofs) == sent * 2 - 1, "the second time it is known"


async def test_where_both_clocks_are_refused_the_clock_is_named_as_well_as_the_login(
    onvif: Onvif, clock: ManualClock
) -> None:
    async with FakeDevice(skew=timedelta(hours=8)) as device:
        for _ in range(3):
            with pytest.raises(HubError) as caught:
                await onvif.describe("127.0.0.1", device.port, WRONG)
            assert caught.value.reason == Reason.CLOCK_REFUSED
        assert len(device.proofs) == 2, "with either clock once; then the budget pauses"
        clock.move(31 * 60)
        await onvif.describe("127.0.0.1", device.port, LOGIN)


async def test_a_clock_that_is_off_by_anything_else_is_no_excuse_for_a_wrong_password(onvif: Onvif) -> None:
    async with FakeDevice(skew=timedelta(hours=8, minutes=12)) as device:
        with pytest.raises(HubError) as caught:
            await onvif.describe("127.0.0.1", device.port, WRONG)
        assert (caught.value.reason, len(device.proofs)) == (Reason.WRONG_PASSWORD, 1)


# -- 23: a login that is missing is answered as if nothing were there


@pytest.mark.parametrize("status", [404, 403, 405, 500, 200, 204, 400])
@pytest.mark.parametrize("hides_clock", [False, True])
async def test_a_hidden_demand_for_a_login_is_found_out(onvif: Onvif, status: int, hides_clock: bool) -> None:
    async with FakeDevice(hides=status, hides_clock=hides_clock) as device:
        found = await onvif.describe("127.0.0.1", device.port, LOGIN)
        assert found.identity.serial == "SN20240001"
        assert found.peculiarities == {"login_hidden": str(status)}
        refusals = len(device.calls) - len(set(device.calls))
        await onvif.stream_uri(OnvifTarget("127.0.0.1", device.port, login=LOGIN), "profile_1_sub")
        assert refusals <= 2


@pytest.mark.parametrize("status", [404, 403, 200])
async def test_a_hidden_demand_meets_a_wrong_password(onvif: Onvif, clock: ManualClock, status: int) -> None:
    async with FakeDevice(hides=status) as device:
        for _ in range(48):
            with pytest.raises(HubError) as caught:
                await onvif.describe("127.0.0.1", device.port, WRONG)
            assert caught.value.reason == Reason.WRONG_PASSWORD
            clock.move(1800)
        assert len(device.proofs) <= 6


async def test_onvif_that_is_off_is_no_refused_login(onvif: Onvif, clock: ManualClock) -> None:
    async with FakeDevice(hides=404, hides_clock=True, username="another") as device:
        device.mangle = lambda text: b""
        for _ in range(48):
            with pytest.raises(HubError) as caught:
                await onvif.describe("127.0.0.1", device.port, LOGIN)
            clock.move(1799)
        assert caught.value.reason in (Reason.ONVIF_OFF, Reason.BAD_REPLY)
        assert len(device.proofs) <= 6


async def test_a_right_that_lacks_is_no_wrong_password(onvif: Onvif) -> None:
    """A user who may not read the network settings: the login was accepted a moment ago."""

    def forbid(text: str) -> bytes:
        if "GetNetworkInterfacesResponse" not in text:
            return text.encode()
        body = (
            "<s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value>"
            "</s:Subcode></s:Code><s:Reason><s:Text>Sender not authorized</s:Text></s:Reason></s:Fault></s:Body>"
        )
        return re.sub("<s:Body>.*</s:Body>", body, text).encode()

    async with FakeDevice(mangle=forbid) as device:
        for _ in range(3):
            found = await onvif.describe("127.0.0.1", device.port, LOGIN)
    assert (found.identity.serial, found.identity.mac) == ("SN20240001", "")


# -- 24 to 26: envelopes, prefixes, encodings


def _soap11_fault(text: str) -> bytes:
    words = re.search(r"<s:Text[^>]*>(.*?)</s:Text>", text)
    if words is None:
        return text.replace(SOAP12, SOAP11).encode()
    fault = f"<s:Fault><faultcode>s:Client</faultcode><faultstring>{words[1]}</faultstring></s:Fault>"
    return re.sub("<s:Fault>.*</s:Fault>", fault, text).replace(SOAP12, SOAP11).encode()


def _without_declarations(*prefixes: str) -> Callable[[str], bytes]:
    return lambda text: re.sub(rf' xmlns:({"|".join(prefixes)})="[^"]*"', "", text).encode()


def _in(encoding: str, declared: str | None = None) -> Callable[[str], bytes]:
    return lambda text: text.replace('encoding="UTF-8"', f'encoding="{declared or encoding}"').encode(encoding)


def _cased(text: str) -> bytes:
    return (
        text.replace("<tt:Name>", "<tt:NAME>")
        .replace("</tt:Name>", "</tt:NAME>")
        .replace(" token=", " Token=")
        .encode()
    )


MANGLED: dict[str, tuple[Callable[[str], bytes], dict[str, str]]] = {
    "SOAP 1.1": (_soap11_fault, {"soap11": "answers"}),
    "undeclared tt": (_without_declarations("tt"), {"undeclared_prefix": "yes"}),
    "undeclared everything": (
        _without_declarations("tt", "s", "tds", "trt", "ter", "tr2"),
        {"undeclared_prefix": "yes"},
    ),
    "no namespaces at all": (
        lambda text: re.sub(r"(</?)\w+:", r"\1", re.sub(r' xmlns:\w+="[^"]*"', "", text)).encode(),
        {},
    ),
    "renamed namespaces": (lambda text: text.replace("www.onvif.org/ver10", "example.com/onvif").encode(), {}),
    "other prefixes": (
        lambda text: re.sub(r"(</?|xmlns:)(tt|s|tds|trt)\b", r"\1\2-x.1", text).encode(),
        {},
    ),
    "odd case": (_cased, {}),
    "a trailing NUL": (lambda text: text.encode() + b"\0\0", {}),
    "blanks before the declaration": (lambda text: b"\r\n \n" + text.encode(), {}),
    "junk around it": (lambda text: b"\0\xff--part\r\n\r\n" + text.encode() + b"\r\n--part--", {}),
    "a mark": (lambda text: b"\xef\xbb\xbf" + text.encode(), {}),
    "UTF-16": (lambda text: text.encode("utf-16"), {}),
    "UTF-16 without a mark": (_in("utf-16-le", "utf-16"), {}),
    "GB2312": (_in("gb2312"), {}),
    "GB2312 with a letter of GBK": (_in("gbk", "GB2312"), {}),
    "GBK declared UTF-8": (_in("gbk", "UTF-8"), {"encoding": "gb18030"}),
    "GB18030 without a declaration": (
        lambda text: re.sub(r"<\?xml.*?\?>", "", text).encode("gb18030"),
        {"encoding": "gb18030"},
    ),
    "comments": (lambda text: text.replace("<tt:", "<!-- </s:Envelope> --><tt:", 1).encode(), {}),
    "CDATA": (
        lambda text: re.sub(r"<tt:Name>(.*?)</tt:Name>", r"<tt:Name><![CDATA[\1]]></tt:Name>", text).encode(),
        {},
    ),
    "an entity that is unknown": (lambda text: text.replace("村", "村&nbsp;").encode(), {}),
    "broken UTF-8": (lambda text: text.encode().replace(b"Stream</tt:Name>", b"Stream\xe6\x9d</tt:Name>"), {}),
    "fields in another order": (
        lambda text: re.sub(r"(<tt:UseCount>\d</tt:UseCount>)(.*?</tt:\w+>)", r"\2\1", text).encode(),
        {},
    ),
    "fields twice": (lambda text: re.sub(r"(<tt:UseCount>\d</tt:UseCount>)", r"\1\1", text).encode(), {}),
    "without what must be there": (lambda text: re.sub(r"<tt:UseCount>\d</tt:UseCount>", "", text).encode(), {}),
    "with nonsense in numbers": (lambda text: re.sub(r"<tt:UseCount>\d<", "<tt:UseCount>many<", text).encode(), {}),
    "types of its own": (
        lambda text: text.replace(
            "<tt:VideoSourceConfiguration ", '<tt:VideoSourceConfiguration xsi:type="x:Y" '
        ).encode(),
        {},
    ),
    "profiles twice": (lambda text: re.sub(r"(<trt:Profiles .*</trt:Profiles>)", r"\1\1", text).encode(), {}),
}


@pytest.mark.parametrize(
    ("kind", "place"),
    [(kind, place) for kind in MANGLED for place in ("村口", "萳塝磜") if (kind, place) != ("GB2312", "萳塝磜")],
)
async def test_an_envelope_is_read_however_it_is_written(onvif: Onvif, kind: str, place: str) -> None:
    mangle, learnt = MANGLED[kind]
    async with FakeDevice(names=(place,), mangle=mangle, scope_name="Camera") as device:
        found = await onvif.describe("127.0.0.1", device.port, LOGIN)
        url = await onvif.stream_uri(OnvifTarget("127.0.0.1", device.port, login=LOGIN), "profile_1_sub")
    assert (found.identity.serial, found.identity.mac) == ("SN20240001", "02:00:00:00:00:01")
    assert [channel.name.replace(" ", "") for channel in found.channels] == [place]
    assert found.channels[0].main.width == 1280
    assert found.channels[0].sub is not None
    assert url == "rtsp://127.0.0.1:8554/ch1/sub"
    assert found.peculiarities == learnt


async def test_media2_is_read_by_local_names_too(onvif: Onvif) -> None:
    mangle = _without_declarations("tt", "tr2")
    async with FakeDevice(media1=False, media2=True, h265_main=True, mangle=mangle) as device:
        found = await onvif.describe("127.0.0.1", device.port, LOGIN)
    assert (found.channels[0].name, found.channels[0].main.codec) == ("村口", "h265")


async def test_a_device_that_knows_soap_1_1_alone_is_asked_so(onvif: Onvif) -> None:
    class Old(FakeDevice):
        async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            """Refuses what comes as application/soap+xml."""
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            (length,) = re.findall(r"content-length: (\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(length))
            if b"soap+xml" in head.encode() or SOAP12.encode() in body:
                self._send(writer, 415, b"")
                return
            assert "SOAPAction" in head
            wrapped = asyncio.StreamReader()
            wrapped.feed_data(head.encode() + body)
            await super()._answer(wrapped, writer)

    async with Old(mangle=_soap11_fault) as device:
        found = await onvif.describe("127.0.0.1", device.port, LOGIN)
    assert found.peculiarities == {"soap11": "only"}


HOSTILE: dict[str, Callable[[str], bytes]] = {
    "an attribute flood": lambda text: text.replace("<s:Body>", "<s:Body " + 'a="b" ' * 5000 + ">").encode(),
    "namespaces by the thousand": lambda text: text.replace(
        "<s:Body>", "<s:Body " + " ".join(f'xmlns:n{n}="u{n}"' for n in range(3000)) + ">"
    ).encode(),
    "too many entities": lambda text: text.replace("<s:Body>", "<s:Body>" + "&" * 21_000).encode(),
    "too many elements": lambda text: text.replace("<s:Body>", "<s:Body>" + "<a/>" * 61_000).encode(),
    "too deep": lambda text: text.replace("<s:Body>", "<s:Body>" + "<a>" * 70 + "</a>" * 70).encode(),
    "a document type": lambda text: re.sub(r"(<\?xml.*?\?>)", r'\1<!DOCTYPE a [<!ENTITY x "y">]>', text).encode(),
    "another answer": lambda text: re.sub(r"Get\w+Response", "GetNothingResponse", text).encode(),
}


@pytest.mark.parametrize("mangle", HOSTILE.values(), ids=HOSTILE.keys())
async def test_an_envelope_beyond_the_limits_is_refused(clock: ManualClock, mangle: Callable[[str], bytes]) -> None:
    settings = DiscoverySettings(onvif_timeout=4.0, reply_bytes=1024 * 1024)
    async with FakeDevice(auth="none", mangle=mangle) as device, Onvif(settings, clock, check=anywhere) as onvif:
        with pytest.raises(HubError) as caught:
            await onvif.describe("127.0.0.1", device.port, LOGIN)
    assert caught.value.reason == Reason.BAD_REPLY


async def test_a_document_type_within_the_envelope_is_left_out(onvif: Onvif) -> None:
    declared = '<s:Body><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    async with FakeDevice(mangle=lambda text: text.replace("<s:Body>", declared).encode()) as device:
        found = await onvif.describe("127.0.0.1", device.port, LOGIN)
    assert found.channels[0].name == "村口"


# -- 27 and connections


async def test_a_length_longer_than_the_body_is_noted(onvif: Onvif) -> None:
    async with FakeDevice(keeps=True, headers={"Content-Length": "60000"}) as device:
        found = await onvif.describe("127.0.0.1", device.port, LOGIN)
    assert found.peculiarities == {"content_length": "long"}


async def test_a_device_that_keeps_connections_is_asked_over_one(onvif: Onvif) -> None:
    async with FakeDevice(keeps=True, auth="digest", sources=4) as device:
        await onvif.describe("127.0.0.1", device.port, LOGIN)
        assert len(device.calls) > 15
        assert device.connections == 1


async def test_every_connect_of_every_call_is_checked(onvif: Onvif) -> None:
    def refuse(address: str, port: int) -> None:
        raise HubError(Kind.INVALID, "no", reason=Reason.ADDRESS_REFUSED)

    async with FakeDevice(auth="none") as device:
        target = OnvifTarget("127.0.0.1", device.port, check=refuse)
        for ask in (
            onvif.clock("127.0.0.1", device.port, check=refuse),
            onvif.describe("127.0.0.1", device.port, check=refuse),
            onvif.stream_uri(target, "profile_1_sub"),
            onvif.sync_point(target, "profile_1_sub"),
        ):
            with pytest.raises(HubError) as caught:
                await ask
            assert caught.value.reason == "address_refused"
        assert device.connections == 0


# -- 28 and 30: addresses


async def test_an_odd_stream_address_is_told_to_who_registers(onvif: Onvif) -> None:
    async with FakeDevice(stream="rtsp://192.168.1.64:80:8554/ch{source}/{role}") as device:
        found = await onvif.describe("127.0.0.1", device.port, LOGIN)
    assert found.channels[0].main.url == "rtsp://127.0.0.1:8554/ch1/main"
    assert found.peculiarities == {
        "uri_repaired": "rtsp://192.168.1.64:80:8554/ch1/main → rtsp://127.0.0.1:8554/ch1/main"
    }


async def test_a_device_that_wants_tls_is_described_over_tls(onvif: Onvif, tmp_path: Path) -> None:
    async with FakeDevice(auth="digest", tls=tls_context(tmp_path)) as device:
        found = await onvif.describe("127.0.0.1", device.port, LOGIN)
        assert found.peculiarities == {"tls_only": str(device.port), "digest_offered": "yes"}
        async with ScriptedPeer(
            [http("", f"Location: https://127.0.0.1:{device.port}/onvif/device_service", status=301)]
        ) as plain:
            found = await onvif.describe("127.0.0.1", plain.port, LOGIN)
            url = await onvif.stream_uri(OnvifTarget("127.0.0.1", plain.port, login=LOGIN), "profile_1_sub")
    assert (found.port, found.peculiarities) == (plain.port, {"tls_only": str(device.port), "digest_offered": "yes"})
    assert url == "rtsp://127.0.0.1:8554/ch1/sub"
    assert len(plain.asked) == 1, "then it is known"
    assert "authorization" not in plain.asked[0].headers


class Notebook:
    """Stands for cameras.peculiarities."""

    def __init__(self, **known: str) -> None:
        self.known = known

    async def of(self, device_id: int) -> dict[str, str]:
        return self.known

    async def note(self, device_id: int, kind: str, value: str) -> None:
        self.known[str(kind)] = value


async def test_what_is_learnt_of_a_registered_device_is_kept_and_used_again(clock: ManualClock) -> None:
    login = DeviceLogin("admin", "village-1", 1, 7)
    kept = Notebook()
    async with FakeDevice(hides=404, skew=timedelta(hours=8), true_time=True) as device:
        for sent in (2, 1):
            device.proofs.clear()
            async with Onvif(DiscoverySettings(onvif_timeout=4.0), clock, peculiarities=kept, check=anywhere) as onvif:
                await onvif.stream_uri(OnvifTarget("127.0.0.1", device.port, login=login), "profile_1_sub")
            assert kept.known == {"login_hidden": "404", "clock_local_time": "+8 h"}
            assert len(device.proofs) == sent


@pytest.mark.parametrize("operation", ["GetEndpointReference", "GetOSDs", "GetNetworkInterfaces", "GetScopes"])
async def test_an_unknown_call_without_a_fault_is_no_refused_login(onvif: Onvif, operation: str) -> None:
    """A device that asks nobody for a login, and has no words for what it does not know (as go2rtc's bare 400)."""

    def unknown(text: str) -> bytes:
        return b"" if f"{operation}Response" in text else text.encode()

    async with FakeDevice(auth="none", osd=True, mangle=unknown) as device:
        found = await onvif.describe("127.0.0.1", device.port, WRONG)
        assert len(found.channels) == 1
        assert found.identity.serial == "SN20240001"


@pytest.mark.parametrize(
    ("said", "kept"),
    [("192.0.2.7:1985", ""), ("192.0.2.7", ""), ("00:11:22:33:44:66", "00:11:22:33:44:66"), ("PY-000001", "PY-000001")],
)
async def test_a_serial_number_that_is_only_an_address_identifies_nothing(onvif: Onvif, said: str, kept: str) -> None:
    async with FakeDevice(serial=said) as device:
        assert (await onvif.describe("127.0.0.1", device.port, LOGIN)).identity.serial == kept


@pytest.mark.parametrize(
    "words", ["Device is not activated", "The device has not been initialized: notActivated", "设备未激活"]
)
def test_a_fault_of_a_device_without_a_password_is_told_as_that(words: str) -> None:
    assert faults.of_fault(words).reason == Reason.NOT_ACTIVATED
    assert faults.refused(f"ter:NotAuthorized {words}", tried=True).reason == Reason.NOT_ACTIVATED
