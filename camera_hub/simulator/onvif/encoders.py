"""The encoders of the streams, in the words of Media (H.264 alone) and of Media2."""

import re
from collections.abc import Callable
from dataclasses import replace

from camera_hub.simulator.faults import Fault
from camera_hub.simulator.model import StreamSpec
from camera_hub.simulator.onvif.call import Call, Operation, Profile, Profiles
from camera_hub.simulator.onvif.soap import Refusal

_CODECS = ("h264", "h265")
_GOV = (5, 400)
_FRAME_RATES = (25, 20, 15, 12, 10, 8, 6, 5)
_BITRATES = {1: (256, 8192), 2: (32, 2048)}
"""kbit/s of a main and of a sub stream."""
_SUB_SIZES = ((640, 360), (352, 288))
_QUALITY = (0, 10)
_NUMBER = re.compile(r"-?\d{1,9}(\.\d{1,9})?")
Size = tuple[int, int]


class EncoderService:
    """Configurations, their options, and setting them, in both media services."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles
        self.operations: dict[str, Operation] = {
            "trt:GetVideoEncoderConfigurations": self._list_1,
            "trt:GetCompatibleVideoEncoderConfigurations": self._compatible_1,
            "trt:GetVideoEncoderConfiguration": self._get_1,
            "trt:GetVideoEncoderConfigurationOptions": self._options_1,
            "trt:SetVideoEncoderConfiguration": self._set_1,
            "tr2:GetVideoEncoderConfigurations": self._list_2,
            "tr2:GetVideoEncoderConfigurationOptions": self._options_2,
            "tr2:SetVideoEncoderConfiguration": self._set_2,
        }

    async def _list_1(self, call: Call) -> str:
        return "".join(element_1(one, "trt:Configurations") for one in self._profiles.all if one.spec.codec == "h264")

    async def _compatible_1(self, call: Call) -> str:
        profile = self._profiles.of(call.envelope.text("trt:ProfileToken"))
        return element_1(profile, "trt:Configurations") if profile.spec.codec == "h264" else ""

    async def _get_1(self, call: Call) -> str:
        return element_1(self._h264(call.envelope.text("trt:ConfigurationToken")), "trt:Configuration")

    async def _options_1(self, call: Call) -> str:
        profile = self._asked(call, "trt")
        common = (
            f"{_sizes(profile)}{_range('GovLengthRange', _GOV)}{_range('FrameRateRange', _frame_rates(profile))}"
            f"{_range('EncodingIntervalRange', (1, 1))}<tt:H264ProfilesSupported>Baseline</tt:H264ProfilesSupported>"
        )
        return (
            f"<trt:Options>{_range('QualityRange', _QUALITY)}<tt:H264>{common}</tt:H264><tt:Extension><tt:H264>{common}"
            f"{_range('BitrateRange', _BITRATES[profile.number])}</tt:H264></tt:Extension></trt:Options>"
        )

    async def _set_1(self, call: Call) -> str:
        profile = self._h264(_token(call, "trt"))
        codec = call.envelope.text("trt:Configuration/tt:Encoding", "H264").lower()
        if codec != "h264":
            raise _refused("The encoding is not supported")
        wanted = replace(self._wanted(call, "trt", profile), codec=codec)
        gov = _number(call, "trt:Configuration/tt:H264/tt:GovLength", profile.spec.gov)
        self._encode(call, profile, wanted, gov)
        return ""

    async def _list_2(self, call: Call) -> str:
        token, profile = (call.envelope.text(f"tr2:{name}Token") for name in ("Configuration", "Profile"))
        found = [self._by_encoder(token)] if token else [self._profiles.of(profile)] if profile else self._profiles.all
        return "".join(element_2(one, "tr2:Configurations") for one in found)

    async def _options_2(self, call: Call) -> str:
        profile = self._asked(call, "tr2")
        rates = " ".join(str(one) for one in _FRAME_RATES if one <= _frame_rates(profile)[1])
        return "".join(
            f'<tr2:Options GovLengthRange="{_GOV[0]} {_GOV[1]}" FrameRatesSupported="{rates}" '
            f'ProfilesSupported="{_kind(codec)}" ConstantBitRateSupported="false">'
            f"<tt:Encoding>{codec.upper()}</tt:Encoding>{_range('QualityRange', _QUALITY)}{_sizes(profile)}"
            f"{_range('BitrateRange', _BITRATES[profile.number])}</tr2:Options>"
            for codec in _CODECS
        )

    async def _set_2(self, call: Call) -> str:
        profile = self._by_encoder(_token(call, "tr2"))
        codec = call.envelope.text("tr2:Configuration/tt:Encoding", profile.spec.codec).lower()
        if codec not in _CODECS:
            raise _refused("The encoding is not supported")
        wanted = replace(self._wanted(call, "tr2", profile), codec=codec)
        element = call.envelope.find("tr2:Configuration")
        text = "" if element is None else element.get("GovLength", "")
        self._encode(call, profile, wanted, _whole(text) if text else profile.spec.gov)
        return ""

    def _wanted(self, call: Call, space: str, profile: Profile) -> StreamSpec:
        spec, base = profile.spec, f"{space}:Configuration/tt:"
        return replace(
            spec,
            width=_number(call, f"{base}Resolution/tt:Width", spec.width),
            height=_number(call, f"{base}Resolution/tt:Height", spec.height),
            fps=_number(call, f"{base}RateControl/tt:FrameRateLimit", spec.fps),
            bitrate=_number(call, f"{base}RateControl/tt:BitrateLimit", spec.bitrate // 1000) * 1000,
        )

    def _encode(self, call: Call, profile: Profile, wanted: StreamSpec, gov: int) -> None:
        """Obey, as far as the options allow: what is beyond them is refused or bent, as the device's kind is."""
        low, high = _BITRATES[profile.number]
        slow, fast = _frame_rates(profile)
        size = (wanted.width, wanted.height)
        fitting = replace(
            wanted,
            fps=min(max(wanted.fps, slow), fast),
            bitrate=min(max(wanted.bitrate, low * 1000), high * 1000),
            gov_length=min(max(gov, _GOV[0]), _GOV[1]),
        )
        if size not in sizes(profile):
            raise _refused("The resolution is not supported")
        if Fault.ENCODER_RANGES in call.state.faults(profile.channel) and fitting != replace(wanted, gov_length=gov):
            raise _refused("A value is out of range")
        if fitting.gov_length == fitting.gop_seconds * fitting.fps:
            fitting = replace(fitting, gov_length=0)
        call.state.settings.encode(profile.channel.number, profile.number, fitting)

    def _asked(self, call: Call, space: str) -> Profile:
        """The profile that options are asked for: of a configuration, of a profile, or of any."""
        token, profile = (call.envelope.text(f"{space}:{name}Token") for name in ("Configuration", "Profile"))
        return self._by_encoder(token) if token else self._profiles.of(profile) if profile else self._profiles.all[0]

    def _by_encoder(self, token: str) -> Profile:
        return self._found(lambda one: one.encoder == token)

    def _h264(self, token: str) -> Profile:
        return self._found(lambda one: one.encoder == token and one.spec.codec == "h264")

    def _found(self, fits: Callable[[Profile], bool]) -> Profile:
        found = next(filter(fits, self._profiles.all), None)
        if found is None:
            raise Refusal("There is no such configuration", "ter:InvalidArgVal", "ter:NoConfig")
        return found


def sizes(profile: Profile) -> tuple[Size, ...]:
    """Width and height that a stream can have: those planned, and for a sub stream the usual ones."""
    planned = profile.channel.stream(profile.number)
    usual = _SUB_SIZES if profile.number == 2 else ()
    return tuple(dict.fromkeys(((planned.width, planned.height), *usual)))


def element_1(profile: Profile, element: str) -> str:
    """A VideoEncoderConfiguration of Media."""
    spec = profile.spec
    return (
        f'<{element} token="{profile.encoder}">'
        f"<tt:Name>{profile.encoder}</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding>"
        f"<tt:Resolution><tt:Width>{spec.width}</tt:Width><tt:Height>{spec.height}</tt:Height></tt:Resolution>"
        f"<tt:Quality>4</tt:Quality><tt:RateControl><tt:FrameRateLimit>{spec.fps}</tt:FrameRateLimit>"
        f"<tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>{spec.bitrate // 1000}</tt:BitrateLimit>"
        f"</tt:RateControl><tt:H264><tt:GovLength>{spec.gov}</tt:GovLength>"
        "<tt:H264Profile>Baseline</tt:H264Profile></tt:H264><tt:Multicast><tt:Address><tt:Type>IPv4</tt:Type>"
        "<tt:IPv4Address>0.0.0.0</tt:IPv4Address></tt:Address><tt:Port>0</tt:Port><tt:TTL>1</tt:TTL>"
        f"<tt:AutoStart>false</tt:AutoStart></tt:Multicast><tt:SessionTimeout>PT60S</tt:SessionTimeout></{element}>"
    )


def element_2(profile: Profile, element: str) -> str:
    """A VideoEncoder2Configuration of Media2."""
    spec = profile.spec
    return (
        f'<{element} token="{profile.encoder}" GovLength="{spec.gov}" Profile="{_kind(spec.codec)}">'
        f"<tt:Name>{profile.encoder}</tt:Name><tt:UseCount>1</tt:UseCount>"
        f"<tt:Encoding>{spec.codec.upper()}</tt:Encoding>"
        f"<tt:Resolution><tt:Width>{spec.width}</tt:Width><tt:Height>{spec.height}</tt:Height></tt:Resolution>"
        f"<tt:RateControl><tt:FrameRateLimit>{spec.fps}</tt:FrameRateLimit>"
        f"<tt:BitrateLimit>{spec.bitrate // 1000}</tt:BitrateLimit></tt:RateControl>"
        f"<tt:Quality>4</tt:Quality></{element}>"
    )


def _kind(codec: str) -> str:
    return "Main" if codec == "h265" else "Baseline"


def _frame_rates(profile: Profile) -> tuple[int, int]:
    """Frames per second: least and most."""
    return _FRAME_RATES[-1], max(profile.channel.stream(profile.number).fps, _FRAME_RATES[2])


def _sizes(profile: Profile) -> str:
    return "".join(
        f"<tt:ResolutionsAvailable><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:ResolutionsAvailable>"
        for width, height in sizes(profile)
    )


def _range(element: str, ends: tuple[int, int]) -> str:
    return f"<tt:{element}><tt:Min>{ends[0]}</tt:Min><tt:Max>{ends[1]}</tt:Max></tt:{element}>"


def _token(call: Call, space: str) -> str:
    found = call.envelope.find(f"{space}:Configuration")
    return "" if found is None else found.get("token") or ""


def _number(call: Call, path: str, default: int) -> int:
    text = call.envelope.text(path)
    return _whole(text) if text else default


def _whole(text: str) -> int:
    if _NUMBER.fullmatch(text) is None:
        raise _refused("That is not a number")
    return round(float(text))


def _refused(reason: str) -> Refusal:
    return Refusal(reason, "ter:InvalidArgVal", "ter:ConfigModify")
