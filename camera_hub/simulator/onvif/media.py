"""The Media service (ver10). It cannot express H.265: such a profile has no encoder, as on real devices."""

from xml.sax.saxutils import escape

from camera_hub.simulator.onvif.call import Call, Operation, Profile, Profiles
from camera_hub.simulator.onvif.encoders import element_1
from camera_hub.simulator.onvif.ptz_nodes import configuration as ptz_configuration
from camera_hub.simulator.onvif.quirks import spoiled_uri
from camera_hub.simulator.vendors.paths import snapshot_path


def source_configuration(profile: Profile) -> str:
    """The content of a VideoSourceConfiguration."""
    main = profile.channel.main
    return (
        f"<tt:Name>{escape(profile.channel.name)}</tt:Name><tt:UseCount>2</tt:UseCount>"
        f"<tt:SourceToken>{profile.source}</tt:SourceToken>"
        f'<tt:Bounds x="0" y="0" width="{main.width}" height="{main.height}"/>'
    )


class MediaService:
    """Profiles and their URIs."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles
        self.operations: dict[str, Operation] = {
            "trt:GetServiceCapabilities": self._get_capabilities,
            "trt:GetProfiles": self._get_profiles,
            "trt:GetProfile": self._get_profile,
            "trt:GetVideoSources": self._get_sources,
            "trt:GetVideoSourceConfigurations": self._get_source_configurations,
            "trt:GetStreamUri": self._get_stream_uri,
            "trt:GetSnapshotUri": self._get_snapshot_uri,
            "trt:SetSynchronizationPoint": self._synchronize,
        }

    async def _get_capabilities(self, call: Call) -> str:
        return (
            '<trt:Capabilities SnapshotUri="true" OSD="true">'
            f'<trt:ProfileCapabilities MaximumNumberOfProfiles="{len(self._profiles.all)}"/>'
            '<trt:StreamingCapabilities RTPMulticast="false" RTP_TCP="true" RTP_RTSP_TCP="true"/></trt:Capabilities>'
        )

    async def _get_profiles(self, call: Call) -> str:
        return "".join(self._profile(call, profile, "Profiles") for profile in self._profiles.all)

    async def _get_profile(self, call: Call) -> str:
        return self._profile(call, self._profiles.of(call.envelope.text("trt:ProfileToken")), "Profile")

    async def _get_sources(self, call: Call) -> str:
        return "".join(
            f'<trt:VideoSources token="{one.source}"><tt:Framerate>{one.spec.fps}</tt:Framerate><tt:Resolution>'
            f"<tt:Width>{one.spec.width}</tt:Width><tt:Height>{one.spec.height}</tt:Height></tt:Resolution></trt:VideoSources>"
            for one in self._mains()
        )

    async def _get_source_configurations(self, call: Call) -> str:
        return "".join(
            f'<trt:Configurations token="VideoSourceConfig_{one.channel.number}">{source_configuration(one)}'
            "</trt:Configurations>"
            for one in self._mains()
        )

    async def _get_stream_uri(self, call: Call) -> str:
        profile = self._profiles.of(call.envelope.text("trt:ProfileToken"))
        uri = call.state.stream_url(profile.channel, profile.number)
        return _media_uri(spoiled_uri(uri, call.state.faults().keys()))

    async def _get_snapshot_uri(self, call: Call) -> str:
        profile = self._profiles.of(call.envelope.text("trt:ProfileToken"))
        uri = call.state.http_url(snapshot_path(call.state.plan.vendor, profile.channel, profile.number))
        return _media_uri(spoiled_uri(uri, call.state.faults().keys()))

    async def _synchronize(self, call: Call) -> str:
        profile = self._profiles.of(call.envelope.text("trt:ProfileToken"))
        call.state.stats.sync_points += 1
        self._profiles.stream(profile).want_key_frame()
        return ""

    def _mains(self) -> list[Profile]:
        return [profile for profile in self._profiles.all if profile.number == 1]

    def _profile(self, call: Call, profile: Profile, element: str) -> str:
        number = profile.channel.number
        encoder = ptz = ""
        if profile.spec.codec == "h264":
            encoder = element_1(profile, "tt:VideoEncoderConfiguration")
        if profile.channel.ptz:
            inside = ptz_configuration(number, call.state.faults(profile.channel).keys())
            ptz = f'<tt:PTZConfiguration token="PTZ_{number}">{inside}</tt:PTZConfiguration>'
        return (
            f'<trt:{element} token="{profile.token}" fixed="true"><tt:Name>{profile.name}</tt:Name>'
            f'<tt:VideoSourceConfiguration token="VideoSourceConfig_{number}">{source_configuration(profile)}'
            f"</tt:VideoSourceConfiguration>{encoder}{ptz}</trt:{element}>"
        )


def _media_uri(uri: str) -> str:
    return (
        f"<trt:MediaUri><tt:Uri>{escape(uri)}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>"
        "<tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri>"
    )
