"""What vendors' interfaces answer, in the many ways of their firmware; whose they are; which paths a device has."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from camera_hub.cameras.described import Channel, DescribedStream, Disk
from camera_hub.cameras.describing.channel_count import MISSING, counted
from camera_hub.cameras.describing.rtsp_describe import RtspAnswer
from camera_hub.cameras.describing.vendor_describer import described
from camera_hub.cameras.http.deadline import Deadline
from camera_hub.cameras.http.messages import HttpPeer, HttpReply, HttpRequest
from camera_hub.cameras.http.signed_http import HttpTarget
from camera_hub.cameras.register.channels import KnownChannel, matched
from camera_hub.cameras.vendors import dahua, hikvision, refusals
from camera_hub.cameras.vendors.answers import VendorSaid
from camera_hub.cameras.vendors.interface import VendorInterface
from camera_hub.cameras.vendors.paths import CATALOGUE, address, number_of, ordered
from camera_hub.cameras.vendors.recognition import judged, maker_of
from camera_hub.errors import HubError, Kind, Reason
from tests.fakes.reach import anywhere

NOW = datetime(2026, 11, 28, 4, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOT_FOUND = HttpReply(404, (), b"")


def _reply(text: str | bytes, status: int = 200, kind: str = "application/xml", **headers: str) -> HttpReply:
    body = text if isinstance(text, bytes) else text.encode()
    return HttpReply(status, (("content-type", kind), *((k.replace("_", "-"), v) for k, v in headers.items())), body)


class Scripted:
    """Answers by path; what is not scripted is not there."""

    def __init__(self, answers: dict[str, str | bytes | HttpReply]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def ask(
        self, target: HttpTarget, request: HttpRequest, deadline: Deadline, *, login_proved: bool = False
    ) -> HttpReply:
        assert request.method == "GET", "nothing is changed at a device"
        self.asked.append(request.path)
        found = self.answers.get(request.path, NOT_FOUND)
        return found if isinstance(found, HttpReply) else _reply(found)


async def _said(vendor: str, answers: dict[str, str | bytes | HttpReply]) -> VendorSaid | None:
    target = HttpTarget(HttpPeer("192.0.2.7", "192.0.2.7", 80), None, anywhere)
    device = VendorInterface(Scripted(answers), target, Deadline(5), vendor, lambda: NOW)
    return await {"hikvision": hikvision.described, "dahua": dahua.described}[vendor](device, SHANGHAI)


INFO = (
    "<DeviceInfo><deviceName>{}</deviceName><model>DS-7808</model><serialNumber>S1</serialNumber>"
    "<macAddress>44:19:b6:00:00:01</macAddress><deviceType>{}</deviceType></DeviceInfo>"
)
INPUTS, PROXIES, STATUS, STREAMS, STORAGE, TIME, PORTS = (
    "/ISAPI/System/Video/inputs/channels",
    "/ISAPI/ContentMgmt/InputProxy/channels",
    "/ISAPI/ContentMgmt/InputProxy/channels/status",
    "/ISAPI/Streaming/channels",
    "/ISAPI/ContentMgmt/Storage",
    "/ISAPI/System/time",
    "/ISAPI/Security/adminAccesses",
)


def _inputs(*rows: tuple[str, str]) -> str:
    inner = "".join(f"<VideoInputChannel><id>{one}</id><name>{name}</name></VideoInputChannel>" for one, name in rows)
    return f"<VideoInputChannelList>{inner}</VideoInputChannelList>"


def _proxies(*rows: tuple[str, str]) -> str:
    inner = "".join(f"<InputProxyChannel><id>{one}</id><name>{name}</name></InputProxyChannel>" for one, name in rows)
    return f"<InputProxyChannelList>{inner}</InputProxyChannelList>"


def _online(**rows: str) -> str:
    inner = "".join(
        f"<InputProxyChannelStatus><id>{one[1:]}</id><online>{text}</online></InputProxyChannelStatus>"
        for one, text in rows.items()
    )
    return f"<InputProxyChannelStatusList>{inner}</InputProxyChannelStatusList>"


async def test_a_hybrid_recorder_counts_analogue_and_ip_channels_in_one_row() -> None:
    said = await _said(
        "hikvision",
        {
            hikvision.INFO: INFO.format("村部录像机", "HybridDVR"),
            INPUTS: _inputs(("1", "村口"), ("2", "Camera 02")),
            PROXIES: _proxies(("9", "大桥"), ("10", "学校")),
            STATUS: _online(n9="true", n10="false"),
        },
    )
    assert said is not None
    found = described(said, "hikvision", "192.0.2.7", 80, 554)
    assert [(one.number, one.name, one.online) for one in found.channels] == [
        (1, "村口", None),
        (2, "", None),
        (9, "大桥", True),
        (10, "学校", False),
    ]
    assert found.channels[2].main.url == "rtsp://192.0.2.7:554/Streaming/Channels/901"
    assert (found.kind, found.name) == ("recorder", "村部录像机")


@pytest.mark.parametrize("coding", ["utf-8", "gb18030", "utf-16"])
@pytest.mark.parametrize(
    "space", ["", ' xmlns="http://www.hikvision.com/ver20/XMLSchema"', ' xmlns="urn:psialliance-org"']
)
async def test_names_come_in_whatever_encoding_and_namespace_they_have(coding: str, space: str) -> None:
    listing = '<?xml version="1.0" encoding="UTF-8"?>' + _proxies(("1", "萳塝磜路口"), ("2", "A &amp; B")).replace(
        "<InputProxyChannelList>", f"<InputProxyChannelList{space}>"
    )
    said = await _said("hikvision", {hikvision.INFO: INFO.format("录像机", "NVR"), PROXIES: listing.encode(coding)})
    assert said is not None
    assert [one.name for one in said.channels] == ["萳塝磜路口", "A & B"]


@pytest.mark.parametrize(
    "rows",
    [
        (("0", "a"), ("-1", "b"), ("99999999999999999999", "c"), ("", "d"), ("1x", "e"), ("１", "f"), ("3", "桥")),
        (("3", "桥"), ("3", "again"), ("3", "and again")),
        tuple((str(n), "桥" if n == 3 else "x" * 5000) for n in (3, *range(70_000, 71_000))),
    ],
)
async def test_impossible_and_repeated_numbers_are_left_out(rows: tuple[tuple[str, str], ...]) -> None:
    said = await _said("hikvision", {hikvision.INFO: INFO.format("x", "NVR"), PROXIES: _proxies(*rows)})
    assert said is not None
    assert [(one.number, one.name) for one in said.channels] == [(3, "桥")]


async def test_a_list_of_a_hundred_thousand_channels_is_cut() -> None:
    listing = _proxies(*((str(n), "x\u202e\u0000y") for n in range(1, 9_000)))
    said = await _said("hikvision", {hikvision.INFO: INFO.format("x", "NVR"), PROXIES: listing})
    assert said is not None
    assert (len(said.channels), said.channels[0].name) == (256, "x y")
    titles = "\n".join(f"table.ChannelTitle[{n}].Name=桥{n}" for n in range(100_000))
    said = await _said("dahua", {dahua.TYPE: "type=NVR", TITLES: titles})
    assert said is not None
    assert len(said.channels) == 256


async def test_clock_disks_port_and_streams_are_read() -> None:
    said = await _said(
        "hikvision",
        {
            hikvision.INFO: INFO.format("", "IPCamera"),
            TIME: "<Time><localTime>2026-11-28T12:05:00</localTime><timeZone>CST-8:00:00</timeZone></Time>",
            STORAGE: "<storage><hddList><hdd><hddName>hdda</hddName><status>Error</status><capacity>100</capacity>"
            "</hdd></hddList><nasList><nas><id>2</id><nasType>NFS</nasType><status>ok</status></nas></nasList></storage>",
            STREAMS: "<StreamingChannelList><StreamingChannel><id>101</id><Video><videoCodecType>H.265</videoCodecType>"
            "<videoResolutionWidth>2560</videoResolutionWidth></Video></StreamingChannel></StreamingChannelList>",
            PORTS: "<AdminAccessProtocolList><AdminAccessProtocol><protocol>RTSP</protocol><portNo>10554</portNo>"
            "</AdminAccessProtocol></AdminAccessProtocolList>",
        },
    )
    assert said is not None
    assert said.clock_offset_s == pytest.approx(300.5)
    assert said.disks == (Disk("hdda", "error", 100, None), Disk("NFS", "ok"))
    assert said.rtsp_port == 10554
    found = described(said, "hikvision", "192.0.2.7", 80, 554)
    assert (found.kind, found.name) == ("camera", "Hikvision DS-7808")
    (camera,) = found.channels
    assert (camera.name, camera.main.codec, camera.main.width, camera.sub) == ("Hikvision DS-7808", "h265", 2560, None)


TITLES = "/cgi-bin/configManager.cgi?action=getConfig&name=ChannelTitle"
REMOTE = "/cgi-bin/LogicDeviceManager.cgi?action=getCameraAll"
STATES = "/cgi-bin/LogicDeviceManager.cgi?action=getCameraState&uniqueChannels[0]=-1"
NVR_TITLES = "".join(f"table.ChannelTitle[{n}].Name=通道{n + 1}\r\n" for n in range(8))


@pytest.mark.parametrize(
    ("more", "numbers", "online"),
    [
        ({}, list(range(1, 9)), [None] * 8),
        (
            {STATES: "states[0].channel=0\nstates[0].connectionState=Connected\nstates[1].channel=2\n"
             "states[1].connectionState=Unconnect\n"
             + "".join(f"states[1{n}].channel={n}\nstates[1{n}].connectionState=Empty\n" for n in (1, 3, 4, 5, 6, 7))},
            [1, 3],
            [True, False],
        ),
        (
            {REMOTE: "camera[0].UniqueChannel=4\ncamera[0].Enable=true\ncamera[0].DeviceInfo.Name=x\n"
             "camera[1].UniqueChannel=6\ncamera[1].Enable=false\n"},
            [5],
            [None],
        ),
    ],
)  # fmt: skip
async def test_of_a_dahua_recorder_s_titles_those_with_a_camera_come_in(
    more: dict[str, str], numbers: list[int], online: list[bool | None]
) -> None:
    answers: dict[str, Any] = {dahua.TYPE: "type=DHI-NVR5216\r\n", TITLES: NVR_TITLES, **more}
    said = await _said("dahua", answers)
    assert said is not None
    assert [one.number for one in said.channels] == numbers
    assert [one.online for one in said.channels] == online
    assert all(one.name == f"通道{one.number}" for one in said.channels)


async def test_a_recorder_that_lists_nothing_is_no_camera() -> None:
    for vendor, answers in (
        ("hikvision", {hikvision.INFO: INFO.format("x", "NVR"), PROXIES: _proxies()}),
        ("dahua", {dahua.TYPE: "type=DHI-NVR4108"}),
    ):
        with pytest.raises(HubError) as caught:
            await _said(vendor, dict(answers))
        assert caught.value.reason == Reason.NO_MEDIA
    forbidden = _reply("<ResponseStatus><subStatusCode>lowPrivilege</subStatusCode></ResponseStatus>", 403)
    with pytest.raises(HubError) as caught:
        await _said("hikvision", {hikvision.INFO: INFO.format("x", "NVR"), PROXIES: forbidden, INPUTS: forbidden})
    assert caught.value.reason == Reason.NO_RIGHTS


async def test_anything_else_is_no_such_interface() -> None:
    for answer in ("<html>log in</html>", "", b"\x00\xff", "{}", "Error\r\nBad Request!\r\n", NOT_FOUND):
        assert await _said("hikvision", {hikvision.INFO: answer}) is None
        assert await _said("dahua", {dahua.TYPE: answer}) is None


@pytest.mark.parametrize(
    ("status", "body", "reason", "params"),
    [
        (401, "<a><lockStatus>lock</lockStatus><unlockTime>1500</unlockTime></a>", "locked_out", {"minutes": 25}),
        (401, "<userCheck><lockStatus>unlock</lockStatus><unlockTime>0</unlockTime></userCheck>", None, {}),
        (403, "Error\r\nUser Locked! Please try again after 30 minutes.\r\n", "locked_out", {"minutes": 30}),
        (401, '{"params":{"error":"account locked","remainLockSecond":61}}', "locked_out", {"minutes": 2}),
        (403, "User Locked!", "locked_out", {}),
        (401, "<a><lockStatus>lock</lockStatus><unlockTime>99999999</unlockTime></a>", "locked_out", {}),
        (403, "<ResponseStatus><subStatusCode>notActivated</subStatusCode></ResponseStatus>", "not_activated", {}),
        (401, "<userCheck><isActivated>false</isActivated></userCheck>", "not_activated", {}),
        (401, "<userCheck><isActivated>true</isActivated></userCheck>", None, {}),
        (403, "Error\r\nErrorID=268632089, Detail=Device is not initialized!", "not_activated", {}),
        (503, "", "device_full", {}),
        (403, "<ResponseStatus><statusString>Device Busy</statusString></ResponseStatus>", "device_full", {}),
        (400, "<ResponseStatus><subStatusCode>maxSessionUserNum</subStatusCode></ResponseStatus>", "device_full", {}),
        (403, "<ResponseStatus><subStatusCode>lowPrivilege</subStatusCode></ResponseStatus>", "no_rights", {}),
        (403, "Error\r\nInvalid Authority!", "no_rights", {}),
        (403, "<ResponseStatus><subStatusCode>notSupport</subStatusCode></ResponseStatus>", None, {}),
        (400, "Error\r\nBad Request!", None, {}),
        (404, "", None, {}),
        (500, "oops", "bad_reply", {}),
        (200, "user is locked", None, {}),
    ],
)  # fmt: skip
def test_a_refusal_is_told_by_its_words(status: int, body: str, reason: str | None, params: dict[str, Any]) -> None:
    error = refusals.told(_reply(body, status), "dahua", NOW) if status == 401 else None
    error = error or (refusals.of_reply(_reply(body, status), "dahua", NOW) if status != 401 else None)
    assert (error.reason if error is not None else None) == reason
    if error is not None:
        assert params.items() <= error.params.items()
        assert ("minutes" in error.params) == bool(params)


DIGEST_401 = 'Digest realm="{}", nonce="n", qop="auth"'


@pytest.mark.parametrize(
    ("isapi", "cgi", "expected"),
    [
        (_reply("", 401, www_authenticate=DIGEST_401.format("IP Camera(C1234)")), NOT_FOUND, ("hikvision",)),
        (NOT_FOUND, _reply("", 401, www_authenticate=DIGEST_401.format("Login to 5A0F6B7")), ("dahua",)),
        (
            _reply("", 401, www_authenticate=DIGEST_401.format("Login to 5A0F6B7")),
            _reply("", 401, www_authenticate=DIGEST_401.format("Login to 5A0F6B7")),
            ("dahua", "hikvision"),
        ),
        (
            _reply("", 401, www_authenticate=DIGEST_401.format("x"), server="App-webs/"),
            _reply("", 401, www_authenticate=DIGEST_401.format("x"), server="App-webs/"),
            ("hikvision", "dahua"),
        ),
        (_reply("<ResponseStatus><s>notActivated</s></ResponseStatus>", 403), NOT_FOUND, ("hikvision",)),
        (NOT_FOUND, _reply("Error\r\nDevice is not initialized!", 403), ("dahua",)),
        (_reply("", 401, www_authenticate='Basic realm="r"'), _reply("", 401, www_authenticate='Basic realm="r"'), ()),
        (_reply("<html/>"), _reply("<html/>"), ()),
        (NOT_FOUND, None, ()),
    ],
)  # fmt: skip
def test_whose_interface_it_is(isapi: HttpReply | None, cgi: HttpReply | None, expected: tuple[str, ...]) -> None:
    assert judged(80, {"hikvision": isapi, "dahua": cgi}).vendors == expected


def test_a_path_leads_back_to_its_channel() -> None:
    for pattern in CATALOGUE[:-1]:
        for number in (1, 2, 16, 64) if not pattern.one else ():
            for url in (address(pattern.name, number, role, "192.0.2.7", 554) for role in ("main", "sub")):
                shown = number_of(url)
                assert shown == number or (pattern.name == "hikvision_old" and shown == number - 32)
    assert number_of("rtsp://192.0.2.7/Streaming/Channels/301?transportmode=unicast") == 3
    assert number_of("rtsp://192.0.2.7/cam/realmonitor?channel=2&subtype=0&unicast=true&proto=Onvif") == 2
    assert number_of("rtsp://192.0.2.7/live") is None
    assert ordered("uniview")[0].name == "uniview_recorder"
    assert maker_of("", "TP-LINK Streaming Media") == "tplink"


class Paths:
    """An RTSP server: `has` says which paths are there; `silent` which are never answered."""

    def __init__(self, has: Any, silent: Any = lambda path: False, server: str = "") -> None:
        self.has = has
        self.silent = silent
        self.server = server
        self.asked: list[str] = []

    async def ask(self, path: str, seconds: float) -> RtspAnswer:
        self.asked.append(path)
        if self.silent(path):
            raise HubError(Kind.TIMEOUT, "silent", reason=Reason.TIMED_OUT)
        return RtspAnswer(200, True, "h264") if self.has(path) else RtspAnswer(404)


def _hikvision(*numbers: int) -> set[str]:
    return {f"/Streaming/Channels/{n}0{stream}" for n in numbers for stream in (1, 2)}


@pytest.mark.parametrize(
    ("numbers", "silent", "maker", "expected"),
    [
        ((1,), (), "", [1]),
        ((1, 2, 4, 5, 6, 7, 8), (3,), "", [1, 2, 4, 5, 6, 7, 8]),
        (tuple(range(1, 17)), (), "", list(range(1, 17))),
        ((1, 2, 12), (), "", [1, 2]),
        ((2, 3), (1,), "hikvision", [2, 3]),
        (tuple(range(1, 33)), (5, 6), "hikvision", [*range(1, 5), *range(7, 33)]),
    ],
)
async def test_channels_are_counted_past_dead_ones(
    numbers: tuple[int, ...], silent: tuple[int, ...], maker: str, expected: list[int]
) -> None:
    dead = _hikvision(*silent)
    device = Paths((_hikvision(*numbers) - dead).__contains__, dead.__contains__)
    found = await counted(device, maker)
    assert found is not None
    assert (found.pattern.name, list(found.channels), found.sub) == ("hikvision", expected, True)
    assert len(device.asked) <= max(expected) + MISSING + 8


async def test_a_server_that_answers_anything_has_one_camera() -> None:
    found = await counted(Paths(lambda path: True))
    assert found is not None
    assert (found.pattern.name, list(found.channels), found.sub) == ("any", [1], False)
    numbers_ignored = Paths(lambda path: path.startswith("/Streaming/Channels/"))
    found = await counted(numbers_ignored)
    assert found is not None
    assert (found.pattern.name, list(found.channels)) == ("hikvision", [1])
    nothing = Paths(lambda path: False)
    assert await counted(nothing) is None
    assert len(nothing.asked) <= 24, "a bounded number of tries"


async def test_a_camera_of_a_known_maker_is_tried_with_its_own_paths_first() -> None:
    device = Paths({"/stream1", "/stream2"}.__contains__, server="TP-LINK")
    found = await counted(device)
    assert found is not None
    assert (found.pattern.name, list(found.channels), found.sub) == ("tplink", [1], True)
    assert device.asked[1] == "/stream1"


def _channel(token: str, number: int | None = None) -> Channel:
    return Channel(token, "", DescribedStream("p", None, None, None, ""), None, number)


@pytest.mark.parametrize(
    ("known", "listed", "over_onvif", "expected"),
    [
        # registered through the vendor, ONVIF switched on later
        ([("1", 1), ("2", 2)], [("VS_a", 1), ("VS_b", 2)], True, {"VS_a": 1, "VS_b": 2}),
        # its tokens look like numbers, and are others
        ([("1", 1), ("2", 2)], [("0", 1), ("1", 2)], True, {"0": 1, "1": 2}),
        # and off again
        ([("VS_a", 1), ("VS_b", 2)], [("1", 1), ("2", 2), ("3", 3)], False, {"1": 1, "2": 2}),
        # ONVIF tells no number: its token counts, as ever
        ([("VS_a", None), ("VS_b", None)], [("VS_b", None), ("VS_c", None)], True, {"VS_b": 2}),
        # a token that is known counts for more than a number that its address names by now
        ([("VS_a", 1), ("VS_b", 2)], [("VS_a", 2), ("VS_b", 1)], True, {"VS_a": 1, "VS_b": 2}),
        # two sources that name one number are two cameras
        ([("1", 1)], [("VS_a", 1), ("VS_b", 1)], True, {"VS_a": 1}),
    ],
)
def test_channels_are_met_whichever_road_they_came(
    known: list[tuple[str, int | None]],
    listed: list[tuple[str, int | None]],
    over_onvif: bool,
    expected: dict[str, int],
) -> None:
    cameras = [KnownChannel(id_, token, number) for id_, (token, number) in enumerate(known, 1)]
    channels = [_channel(token, number) for token, number in listed]
    assert matched(cameras, channels, over_onvif=over_onvif) == expected
