"""The encoder of a profile: read with its options, and set. Media2 where the device has it, since Media (ver10) has no
word for H.265; else Media.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lxml import etree

from camera_hub.cameras.http.messages import bad_reply
from camera_hub.cameras.onvif.describe import MAX_TOKEN, codec_of
from camera_hub.cameras.onvif.device import MEDIA1, OnvifDevice
from camera_hub.cameras.onvif.envelopes import attribute, child, children, text_of
from camera_hub.cameras.onvif.media2 import MEDIA2
from camera_hub.cameras.onvif.plain_calls import as_request, call, element, put, set_attribute, whole
from camera_hub.errors import HubError, Kind, Reason

MAX_SIZES = 64
_CONFIGURATION = ("Name", "UseCount", "Encoding", "Resolution", "Quality", "RateControl", "MPEG4", "H264", "Multicast")
_SIZE = ("Width", "Height")
_RATE = ("FrameRateLimit", "EncodingInterval", "BitrateLimit")
_GOV = ("GovLength", "H264Profile")
_PROFILES = ("Main", "Baseline", "High")
"""Which profile an encoder gets that changes its codec; the first that it offers. Main has no B-frames by itself."""
_NOT_SO = (Reason.SOAP_FAULT, Reason.BAD_REPLY, Reason.ONVIF_OFF)
"""What a device says that does not know a call; another one may tell the same."""

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class EncoderOptions:
    """What the device offers for one codec; None or empty: it does not say."""

    gov: Interval | None = None
    fps: Interval | None = None
    bitrate: Interval | None = None
    sizes: tuple[tuple[int, int], ...] = ()
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EncoderSetting:
    """The encoder of one profile. `node`: its configuration as it was read; `options`: by codec."""

    token: str
    codec: str | None
    width: int | None
    height: int | None
    fps: int | None
    gov_length: int | None
    bitrate_kbit: int | None
    space: str
    node: etree._Element = field(repr=False, compare=False)
    options: Mapping[str, EncoderOptions] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WantedEncoder:
    """None: as it is."""

    codec: str | None = None
    width: int | None = None
    height: int | None = None
    fps: int | None = None
    gov_length: int | None = None
    bitrate_kbit: int | None = None


async def read_encoder(
    device: OnvifDevice, services: Mapping[str, str], profile: str, *, options: bool = True
) -> EncoderSetting:
    """Raises HubError where neither service tells the profile's encoder."""
    refused: HubError | None = None
    for space, read in ((MEDIA2, _read2), (MEDIA1, _read1)):
        if space not in services:
            continue
        try:
            return await read(device, services[space], profile, options)
        except HubError as error:
            if error.reason not in _NOT_SO:
                raise
            refused = refused or error
    raise refused or bad_reply("no media service")


async def set_encoder(
    device: OnvifDevice, services: Mapping[str, str], known: EncoderSetting, wanted: WantedEncoder
) -> None:
    """Send the configuration back as it was read, with these values. Raises HubError."""
    node = as_request(known.node, known.space, "Configuration")
    modern = known.space == MEDIA2
    if wanted.codec is not None and wanted.codec != known.codec:
        put(node, "Encoding", wanted.codec.upper(), _CONFIGURATION)
        if modern:
            offered = known.options.get(wanted.codec, EncoderOptions()).profiles
            profile = next((one for one in _PROFILES if one in offered), next(iter(offered), None))
            if profile is not None:
                set_attribute(node, "Profile", profile)
    if wanted.width is not None and wanted.height is not None:
        size = _child(node, "Resolution", _CONFIGURATION)
        put(size, "Width", str(wanted.width), _SIZE)
        put(size, "Height", str(wanted.height), _SIZE)
    if wanted.fps is not None:
        put(_child(node, "RateControl", _CONFIGURATION), "FrameRateLimit", str(wanted.fps), _RATE)
    if wanted.bitrate_kbit is not None:
        put(_child(node, "RateControl", _CONFIGURATION), "BitrateLimit", str(wanted.bitrate_kbit), _RATE)
    if wanted.gov_length is not None:
        if modern:
            set_attribute(node, "GovLength", str(wanted.gov_length))
        else:
            put(_child(node, "H264", _CONFIGURATION), "GovLength", str(wanted.gov_length), _GOV)
    content = [node] if modern else [node, element(MEDIA1, "ForcePersistence", text="true")]
    await call(device.conversation, services[known.space], known.space, "SetVideoEncoderConfiguration", *content)


async def _read2(device: OnvifDevice, path: str, profile: str, options: bool) -> EncoderSetting:
    answer = await call(
        device.conversation,
        path,
        MEDIA2,
        "GetProfiles",
        element(MEDIA2, "Token", text=profile),
        element(MEDIA2, "Type", text="VideoEncoder"),
    )
    # Some devices list all profiles whatever is asked.
    nodes = [one for one in children(answer.content("GetProfilesResponse"), "Profiles")]
    found = next((one for one in nodes if attribute(one, "token") == profile), None)
    node = child(found, "Configurations", "VideoEncoder")
    if node is None:
        raise _no_encoder()
    token = attribute(node, "token")[:MAX_TOKEN]
    offered: dict[str, EncoderOptions] = {}
    if options:
        answer = await call(
            device.conversation, path, MEDIA2, "GetVideoEncoderConfigurationOptions", ConfigurationToken=token
        )
        for one in children(answer.content("GetVideoEncoderConfigurationOptionsResponse"), "Options"):
            if (codec := codec_of(text_of(one, "Encoding"))) is not None:
                offered[codec] = EncoderOptions(
                    _words(attribute(one, "GovLengthRange")),
                    _words(attribute(one, "FrameRatesSupported")),
                    _interval(child(one, "BitrateRange")),
                    _sizes(one),
                    tuple(attribute(one, "ProfilesSupported").split()[:16]),
                )
    return _setting(node, MEDIA2, whole(attribute(node, "GovLength")), offered)


async def _read1(device: OnvifDevice, path: str, profile: str, options: bool) -> EncoderSetting:
    node = child(await _profile1(device, path, profile), "VideoEncoderConfiguration")
    if node is None:
        raise _no_encoder()
    offered = await _options1(device, path, attribute(node, "token")[:MAX_TOKEN], profile) if options else {}
    return _setting(node, MEDIA1, whole(text_of(node, "H264", "GovLength")), offered)


async def _profile1(device: OnvifDevice, path: str, profile: str) -> etree._Element | None:
    """The profile; from the list of all where the device knows no call for one."""
    found: etree._Element | None = None
    try:
        answer = await call(device.conversation, path, MEDIA1, "GetProfile", ProfileToken=profile)
        found = child(answer.content("GetProfileResponse"), "Profile")
    except HubError as error:
        if error.reason not in _NOT_SO:
            raise
    if found is None:
        answer = await call(device.conversation, path, MEDIA1, "GetProfiles")
        listed = children(answer.content("GetProfilesResponse"), "Profiles")
        found = next((one for one in listed if attribute(one, "token") == profile), None)
    return found


async def _options1(device: OnvifDevice, path: str, token: str, profile: str) -> dict[str, EncoderOptions]:
    """What it offers; empty where it does not know the call."""
    try:
        answer = await call(
            device.conversation,
            path,
            MEDIA1,
            "GetVideoEncoderConfigurationOptions",
            ConfigurationToken=token,
            ProfileToken=profile,
        )
    except HubError as error:
        if error.reason not in _NOT_SO:
            raise
        return {}
    root = child(answer.content("GetVideoEncoderConfigurationOptionsResponse"), "Options")
    if (h264 := child(root, "H264")) is None:
        return {}
    return {
        "h264": EncoderOptions(
            _interval(child(h264, "GovLengthRange")),
            _interval(child(h264, "FrameRateRange")),
            _interval(child(root, "Extension", "H264", "BitrateRange")),
            _sizes(h264),
        )
    }


def _setting(
    node: etree._Element, space: str, gov: int | None, options: Mapping[str, EncoderOptions]
) -> EncoderSetting:
    return EncoderSetting(
        attribute(node, "token")[:MAX_TOKEN],
        codec_of(text_of(node, "Encoding")),
        whole(text_of(node, "Resolution", "Width"), 32768),
        whole(text_of(node, "Resolution", "Height"), 32768),
        whole(text_of(node, "RateControl", "FrameRateLimit"), 1000),
        gov,
        whole(text_of(node, "RateControl", "BitrateLimit"), 10_000_000),
        space,
        node,
        options,
    )


def _child(parent: etree._Element, name: str, order: tuple[str, ...]) -> etree._Element:
    found = child(parent, name)
    return found if found is not None else put(parent, name, "", order)


def _sizes(node: etree._Element) -> tuple[tuple[int, int], ...]:
    found = []
    for one in list(children(node, "ResolutionsAvailable"))[:MAX_SIZES]:
        width, height = whole(text_of(one, "Width"), 32768), whole(text_of(one, "Height"), 32768)
        if width and height:
            found.append((width, height))
    return tuple(dict.fromkeys(found))


def _interval(node: etree._Element | None) -> Interval | None:
    low, high = whole(text_of(node, "Min"), 10_000_000), whole(text_of(node, "Max"), 10_000_000)
    return (low, high) if low is not None and high is not None and low <= high else None


def _words(text: str) -> Interval | None:
    """The least and the greatest of the numbers that an attribute lists."""
    numbers = [number for one in text.split()[:256] if (number := whole(one)) is not None]
    return (min(numbers), max(numbers)) if numbers else None


def _no_encoder() -> HubError:
    return HubError(Kind.UNREACHABLE, "the device tells no encoder for this profile", reason=Reason.BAD_REPLY)
