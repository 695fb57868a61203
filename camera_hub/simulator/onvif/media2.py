"""The Media2 service (ver20), which supports H.265."""

from xml.sax.saxutils import escape

from camera_hub.simulator.onvif.call import Call, Operation, Profile, Profiles
from camera_hub.simulator.onvif.encoders import element_2
from camera_hub.simulator.onvif.media import source_configuration
from camera_hub.simulator.onvif.ptz_nodes import configuration as ptz_configuration
from camera_hub.simulator.onvif.quirks import spoiled_uri
from camera_hub.simulator.vendors.paths import snapshot_path


class Media2Service:
    """Profiles with the configurations that were requested."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles
        self.operations: dict[str, Operation] = {
            "tr2:GetServiceCapabilities": self._get_capabilities,
            "tr2:GetProfiles": self._get_profiles,
            "tr2:GetStreamUri": self._get_stream_uri,
            "tr2:GetSnapshotUri": self._get_snapshot_uri,
            "tr2:GetVideoSourceConfigurations": self._get_sources,
            "tr2:SetSynchronizationPoint": self._synchronize,
        }

    async def _get_capabilities(self, call: Call) -> str:
        return (
            '<tr2:Capabilities SnapshotUri="true" OSD="true">'
            f'<tr2:ProfileCapabilities MaximumNumberOfProfiles="{len(self._profiles.all)}"'
            ' ConfigurationsSupported="VideoSource VideoEncoder PTZ"/>'
            '<tr2:StreamingCapabilities RTSPStreaming="true" RTPMulticast="false" RTP_RTSP_TCP="true"/>'
            "</tr2:Capabilities>"
        )

    async def _get_profiles(self, call: Call) -> str:
        token = call.envelope.text("tr2:Token")
        wanted = set(call.envelope.texts("tr2:Type"))
        found = [self._profiles.of(token)] if token else self._profiles.all
        return "".join(self._profile(call, profile, wanted) for profile in found)

    async def _get_stream_uri(self, call: Call) -> str:
        profile = self._profiles.of(call.envelope.text("tr2:ProfileToken"))
        uri = call.state.stream_url(profile.channel, profile.number)
        return f"<tr2:Uri>{escape(spoiled_uri(uri, call.state.faults().keys()))}</tr2:Uri>"

    async def _get_snapshot_uri(self, call: Call) -> str:
        profile = self._profiles.of(call.envelope.text("tr2:ProfileToken"))
        uri = call.state.http_url(snapshot_path(call.state.plan.vendor, profile.channel, profile.number))
        return f"<tr2:Uri>{escape(spoiled_uri(uri, call.state.faults().keys()))}</tr2:Uri>"

    async def _get_sources(self, call: Call) -> str:
        return "".join(
            f'<tr2:Configurations token="VideoSourceConfig_{one.channel.number}">{source_configuration(one)}'
            "</tr2:Configurations>"
            for one in self._profiles.all
            if one.number == 1
        )

    async def _synchronize(self, call: Call) -> str:
        profile = self._profiles.of(call.envelope.text("tr2:ProfileToken"))
        call.state.stats.sync_points += 1
        self._profiles.stream(profile).want_key_frame()
        return ""

    def _profile(self, call: Call, profile: Profile, wanted: set[str]) -> str:
        number = profile.channel.number
        parts = ""
        if wanted & {"All", "VideoSource"}:
            source = source_configuration(profile)
            parts += f'<tr2:VideoSource token="VideoSourceConfig_{number}">{source}</tr2:VideoSource>'
        if wanted & {"All", "VideoEncoder"}:
            parts += element_2(profile, "tr2:VideoEncoder")
        if wanted & {"All", "PTZ"} and profile.channel.ptz:
            inside = ptz_configuration(number, call.state.faults(profile.channel).keys())
            parts += f'<tr2:PTZ token="PTZ_{number}">{inside}</tr2:PTZ>'
        configurations = f"<tr2:Configurations>{parts}</tr2:Configurations>" if parts else ""
        return (
            f'<tr2:Profiles token="{profile.token}" fixed="true"><tr2:Name>{profile.name}</tr2:Name>'
            f"{configurations}</tr2:Profiles>"
        )
