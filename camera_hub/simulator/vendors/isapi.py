"""A vendor's own HTTP interface, modelled on ISAPI: it stays on when ONVIF is switched off."""

import re
from xml.sax.saxutils import escape

from camera_hub.simulator.faults import Fault
from camera_hub.simulator.model import Channel, DeviceKind
from camera_hub.simulator.settings import PLAIN
from camera_hub.simulator.state import DeviceState
from camera_hub.simulator.vendors.isapi_recordings import IsapiRecordings
from camera_hub.simulator.vendors.refusals import HIKVISION_SPACE as _SPACE
from camera_hub.simulator.vendors.refusals import isapi_status, user_check
from camera_hub.simulator.web import HttpRequest, HttpResponse

PREFIX = "/ISAPI/"
_OVERLAYS = re.compile(r"/ISAPI/System/Video/inputs/channels/(\d{1,4})/overlays")
ACTIVATION = "/SDK/activateStatus"
"""Answered without a login."""


class Isapi:
    """Answers everything below /ISAPI/, once the login is admitted."""

    def __init__(self, state: DeviceState) -> None:
        self._state = state
        self._recordings = IsapiRecordings(state)

    def takes(self, path: str) -> bool:
        """Whether a path belongs to this interface."""
        return path.startswith(PREFIX) or path == ACTIVATION

    def open_answer(self, request: HttpRequest) -> HttpResponse | None:
        """The answer to what needs no login; None: it needs one."""
        if request.path != ACTIVATION:
            return None
        activated = str(Fault.NOT_ACTIVATED not in self._state.faults()).lower()
        return self._xml(f"<ActivateStatus {_SPACE}><Activated>{activated}</Activated></ActivateStatus>")

    def denied(self, request: HttpRequest) -> tuple[bytes, str]:
        """Body and type of a 401."""
        if request.path == f"{PREFIX}Security/userCheck":
            return user_check(self._state, admitted=False), "application/xml"
        return isapi_status(request.path, 4, "Invalid Operation", "invalidOperation"), "application/xml"

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer one request whose login is admitted."""
        recorder = self._state.plan.kind is DeviceKind.RECORDER
        match request.path.removeprefix(PREFIX):
            case "Security/userCheck":
                return HttpResponse(200, user_check(self._state, admitted=True), "application/xml")
            case "Security/adminAccesses":
                return self._xml(self._ports())
            case "System/deviceInfo":
                return self._xml(self._device_info())
            case "System/time":
                now = self._state.settings.local(self._state.now())
                return self._xml(
                    f"<Time {_SPACE}><timeMode>{'NTP' if self._state.settings.clock.ntp else 'manual'}</timeMode>"
                    f"<localTime>{now.isoformat(timespec='seconds')}</localTime><timeZone>CST-8:00:00</timeZone></Time>"
                )
            case "System/Network/interfaces":
                return self._xml(self._interfaces())
            case "ContentMgmt/Storage":
                return self._xml(self._recordings.storage())
            case "ContentMgmt/InputProxy/channels" if recorder:
                return self._xml(self._proxied_channels())
            case "ContentMgmt/InputProxy/channels/status" if recorder:
                return self._xml(self._proxied_status())
            case "System/Video/inputs/channels":
                return self._xml(self._inputs())
            case "Streaming/channels":
                return self._xml(self._streaming())
        if (overlay := _OVERLAYS.fullmatch(request.path)) is not None:
            return self._xml(self._overlays(int(overlay[1])))
        if (found := self._recordings.answer(request)) is not None:
            return self._xml(found)
        body = isapi_status(request.path, 4, "Invalid Operation", "notSupport")
        return HttpResponse(404, body, "application/xml")

    def _xml(self, text: str) -> HttpResponse:
        coding = "gb18030" if Fault.GBK_TITLES in self._state.faults() else "utf-8"
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode(coding)
        return HttpResponse(200, body, "application/xml; charset=UTF-8")

    def _listed(self) -> list[Channel]:
        """The channels that it lists just now."""
        faults = self._state.faults
        return [
            channel
            for channel in self._state.plan.channels
            if not {Fault.ONLINE_CHANNELS_ONLY, Fault.DEAD} <= faults(channel).keys()
        ]

    def _device_info(self) -> str:
        state, plan = self._state, self._state.plan
        kind = "NVR" if plan.kind is DeviceKind.RECORDER else "IPCamera"
        return (
            f"<DeviceInfo {_SPACE}><deviceName>{escape(plan.name)}</deviceName><deviceID>{state.uuid}</deviceID>"
            f"<model>{plan.model}</model><serialNumber>{state.serial}</serialNumber><macAddress>{state.mac}</macAddress>"
            f"<firmwareVersion>V{plan.firmware}</firmwareVersion><deviceType>{kind}</deviceType></DeviceInfo>"
        )

    def _interfaces(self) -> str:
        return (
            f"<NetworkInterfaceList {_SPACE}><NetworkInterface><id>1</id><IPAddress><ipAddress>"
            f"{self._state.shown_address}</ipAddress></IPAddress><Link><MACAddress>{self._state.mac}</MACAddress></Link>"
            "</NetworkInterface></NetworkInterfaceList>"
        )

    def _ports(self) -> str:
        rows = "".join(
            f"<AdminAccessProtocol><id>{number}</id><enabled>true</enabled><protocol>{name}</protocol>"
            f"<portNo>{port}</portNo></AdminAccessProtocol>"
            for number, name, port in ((1, "HTTP", self._state.http_port), (4, "RTSP", self._state.rtsp_port))
        )
        return f"<AdminAccessProtocolList {_SPACE}>{rows}</AdminAccessProtocolList>"

    def _proxied_channels(self) -> str:
        rows = "".join(
            f"<InputProxyChannel><id>{channel.number}</id><name>{escape(channel.name)}</name>"
            "<sourceInputPortDescriptor><proxyProtocol>ONVIF</proxyProtocol><addressingFormatType>ipaddress"
            f"</addressingFormatType><ipAddress>{channel.behind or f'192.168.254.{channel.number + 1}'}</ipAddress>"
            "<managePortNo>80</managePortNo><srcInputPort>1</srcInputPort></sourceInputPortDescriptor></InputProxyChannel>"
            for channel in self._listed()
        )
        return f"<InputProxyChannelList {_SPACE}>{rows}</InputProxyChannelList>"

    def _proxied_status(self) -> str:
        rows = "".join(
            f"<InputProxyChannelStatus><id>{channel.number}</id>"
            f"<online>{str(Fault.DEAD not in self._state.faults(channel)).lower()}</online></InputProxyChannelStatus>"
            for channel in self._listed()
        )
        return f"<InputProxyChannelStatusList {_SPACE}>{rows}</InputProxyChannelStatusList>"

    def _inputs(self) -> str:
        rows = "".join(
            f"<VideoInputChannel><id>{channel.number}</id><inputPort>{channel.number}</inputPort>"
            f"<name>{escape(channel.name)}</name></VideoInputChannel>"
            for channel in self._state.plan.channels
        )
        return f"<VideoInputChannelList {_SPACE}>{rows}</VideoInputChannelList>"

    def _overlays(self, number: int) -> str:
        texts = [one for one in self._state.settings.osds.values() if one.channel == number]
        name = next((one.text for one in texts if one.kind == PLAIN), "")
        clock = str(any(one.kind != PLAIN for one in texts)).lower()
        return (
            f"<VideoOverlay {_SPACE}><TextOverlayList/><DateTimeOverlay><enabled>{clock}</enabled>"
            "<dateStyle>YYYY-MM-DD</dateStyle><timeStyle>24hour</timeStyle></DateTimeOverlay><channelNameOverlay>"
            f"<enabled>{str(bool(name)).lower()}</enabled><name>{escape(name)}</name></channelNameOverlay></VideoOverlay>"
        )

    def _streaming(self) -> str:
        rows = "".join(
            f"<StreamingChannel {_SPACE}><id>{channel.number}{number:02}</id>"
            f"<channelName>{escape(channel.name)}</channelName><enabled>true</enabled><Video><enabled>true</enabled>"
            f"<videoInputChannelID>{channel.number}</videoInputChannelID>"
            f"<videoCodecType>{'H.265' if spec.codec == 'h265' else 'H.264'}</videoCodecType>"
            f"<videoResolutionWidth>{spec.width}</videoResolutionWidth>"
            f"<videoResolutionHeight>{spec.height}</videoResolutionHeight>"
            f"<maxFrameRate>{spec.fps * 100}</maxFrameRate></Video></StreamingChannel>"
            for channel in self._listed()
            for number in (1, 2)
            for spec in (self._state.settings.spec(channel.number, number),)
        )
        return f"<StreamingChannelList {_SPACE}>{rows}</StreamingChannelList>"
