"""The vendor's own HTTP interface, modelled on ISAPI: it stays on when ONVIF is switched off."""

import asyncio
import re
from xml.sax.saxutils import escape

from camera_hub.simulator.admission import Admission
from camera_hub.simulator.auth import Doorkeeper
from camera_hub.simulator.faults import Fault
from camera_hub.simulator.model import Channel, DeviceKind
from camera_hub.simulator.picture.snapshot import jpeg
from camera_hub.simulator.rtsp.stream import BEIJING, Stream
from camera_hub.simulator.state import DeviceState
from camera_hub.simulator.web import HttpRequest, HttpResponse

_SPACE = 'version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema"'
_PICTURE = re.compile(r"/ISAPI/Streaming/channels/(\d+)(\d\d)/picture", re.IGNORECASE)


def snapshot_path(channel: Channel, number: int) -> str:
    """Path of a stream's JPEG; number 1 is main, 2 is sub."""
    return f"/ISAPI/Streaming/channels/{channel.number}{number:02}/picture"


class VendorInterface:
    """Answers everything under /ISAPI/, behind HTTP Digest."""

    def __init__(self, state: DeviceState, streams: dict[tuple[int, int], Stream]) -> None:
        self._state = state
        self._streams = streams
        self._admission = Admission(state, Doorkeeper(state.plan.serial, basic=False, digest=True))

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer one request, which is known to be for this interface."""
        if (refusal := self._refusal(request)) is not None:
            return refusal
        if found := _PICTURE.fullmatch(request.path):
            return await self._picture(int(found[1]), int(found[2]))
        match request.path.removeprefix("/ISAPI/"):
            case "System/deviceInfo":
                return _xml(self._device_info())
            case "System/time":
                now = self._state.now().astimezone(BEIJING)
                return _xml(
                    f"<Time {_SPACE}><timeMode>manual</timeMode>"
                    f"<localTime>{now.isoformat(timespec='seconds')}</localTime><timeZone>CST-8:00:00</timeZone></Time>"
                )
            case "ContentMgmt/InputProxy/channels" if self._state.plan.kind is DeviceKind.RECORDER:
                return _xml(self._proxied_channels())
            case "ContentMgmt/InputProxy/channels/status" if self._state.plan.kind is DeviceKind.RECORDER:
                return _xml(self._proxied_status())
            case "System/Video/inputs/channels":
                return _xml(self._inputs())
        return HttpResponse(404)

    def _refusal(self, request: HttpRequest) -> HttpResponse | None:
        given = request.headers.get("authorization")
        if given is not None and self._admission.admits(request.method, given, self._state.device_logins):
            return None
        return HttpResponse(401, headers=tuple(self._admission.challenges(signed=given is not None)))

    async def _picture(self, channel: int, number: int) -> HttpResponse:
        stream = self._streams.get((channel, number))
        if stream is None:
            return HttpResponse(404)
        if Fault.DEAD in self._state.faults(stream.channel):
            return HttpResponse(503)
        now = self._state.now()
        picture = await asyncio.to_thread(jpeg, stream.look(), stream.spec, stream.caption_now(), now.timestamp())
        return HttpResponse(200, picture, "image/jpeg")

    def _device_info(self) -> str:
        plan = self._state.plan
        kind = "NVR" if plan.kind is DeviceKind.RECORDER else "IPCamera"
        return (
            f"<DeviceInfo {_SPACE}><deviceName>{escape(plan.name)}</deviceName><deviceID>{plan.uuid}</deviceID>"
            f"<model>{plan.model}</model><serialNumber>{plan.serial}</serialNumber><macAddress>{plan.mac}</macAddress>"
            f"<firmwareVersion>V{plan.firmware}</firmwareVersion><deviceType>{kind}</deviceType></DeviceInfo>"
        )

    def _proxied_channels(self) -> str:
        rows = "".join(
            f"<InputProxyChannel><id>{channel.number}</id><name>{escape(channel.name)}</name>"
            "<sourceInputPortDescriptor><proxyProtocol>ONVIF</proxyProtocol><addressingFormatType>ipaddress"
            f"</addressingFormatType><ipAddress>192.168.254.{channel.number + 1}</ipAddress>"
            "<managePortNo>80</managePortNo><srcInputPort>1</srcInputPort></sourceInputPortDescriptor></InputProxyChannel>"
            for channel in self._state.plan.channels
            if not {Fault.ONLINE_CHANNELS_ONLY, Fault.DEAD} <= self._state.faults(channel).keys()
        )
        return f"<InputProxyChannelList {_SPACE}>{rows}</InputProxyChannelList>"

    def _proxied_status(self) -> str:
        rows = "".join(
            f"<InputProxyChannelStatus><id>{channel.number}</id>"
            f"<online>{str(Fault.DEAD not in self._state.faults(channel)).lower()}</online></InputProxyChannelStatus>"
            for channel in self._state.plan.channels
        )
        return f"<InputProxyChannelStatusList {_SPACE}>{rows}</InputProxyChannelStatusList>"

    def _inputs(self) -> str:
        rows = "".join(
            f"<VideoInputChannel><id>{channel.number}</id><inputPort>{channel.number}</inputPort>"
            f"<name>{escape(channel.name)}</name></VideoInputChannel>"
            for channel in self._state.plan.channels
        )
        return f"<VideoInputChannelList {_SPACE}>{rows}</VideoInputChannelList>"


def _xml(text: str) -> HttpResponse:
    return HttpResponse(200, f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode(), "application/xml; charset=UTF-8")
