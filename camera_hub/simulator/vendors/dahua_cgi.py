"""A vendor's own HTTP interface, modelled on Dahua's CGI: key=value lines, channels counted from 0."""

from collections.abc import Iterator
from urllib.parse import parse_qsl

from camera_hub.simulator.faults import Fault
from camera_hub.simulator.model import Channel, DeviceKind
from camera_hub.simulator.settings import PLAIN
from camera_hub.simulator.state import DeviceState
from camera_hub.simulator.vendors.dahua_recordings import DahuaRecordings
from camera_hub.simulator.vendors.refusals import dahua_error
from camera_hub.simulator.web import HttpRequest, HttpResponse

PREFIX = "/cgi-bin/"
_COMPRESSION = {"h264": "H.264", "h265": "H.265"}
Lines = Iterator[str]


class DahuaCgi:
    """Answers everything below /cgi-bin/, once the login is admitted."""

    def __init__(self, state: DeviceState) -> None:
        self._state = state
        self.recordings = DahuaRecordings(state)

    def takes(self, path: str) -> bool:
        """Whether a path belongs to this interface."""
        return path.startswith(PREFIX)

    def open_answer(self, request: HttpRequest) -> HttpResponse | None:
        """Nothing is answered without a login."""
        return None

    def denied(self, request: HttpRequest) -> tuple[bytes, str]:
        """Body and type of a 401."""
        return dahua_error("Invalid Authority!"), "text/plain"

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer one request whose login is admitted."""
        query = dict(parse_qsl(request.query))
        lines = self._lines(request.path.removeprefix(PREFIX), query.get("action", ""), query)
        if lines is None:
            return HttpResponse(400, dahua_error("Bad Request!"))
        text = "".join(f"{line}\r\n" for line in lines)
        coding = "gb18030" if Fault.GBK_TITLES in self._state.faults() else "utf-8"
        return HttpResponse(200, text.encode(coding), "text/plain;charset=utf-8")

    def _lines(self, cgi: str, action: str, query: dict[str, str]) -> Lines | None:
        match cgi, action:
            case "magicBox.cgi", _:
                return self._magic_box(action, query)
            case "configManager.cgi", "getConfig":
                return self._config(query.get("name", ""))
            case "global.cgi", "getCurrentTime":
                now = self._state.settings.local(self._state.now())
                return iter((f"result={now:%Y-%m-%d %H:%M:%S}",))
            case "devVideoInput.cgi", "getCollect":
                return iter((f"result={len(self._state.plan.channels)}",))
            case "LogicDeviceManager.cgi", "getCameraState" if self._recorder:
                return self._camera_states()
            case "storageDevice.cgi", "getDeviceAllInfo":
                return self.recordings.storage()
            case "mediaFileFind.cgi", _:
                return self.recordings.answer(action, query)
        return None

    @property
    def _recorder(self) -> bool:
        return self._state.plan.kind is DeviceKind.RECORDER

    def _magic_box(self, action: str, query: dict[str, str]) -> Lines | None:
        plan = self._state.plan
        channels = len(plan.channels) if self._recorder else 0
        values = {
            "getDeviceType": f"type={plan.model}",
            "getDeviceClass": f"class={'NVR' if self._recorder else 'IPC'}",
            "getSerialNo": f"sn={self._state.serial}",
            "getMachineName": f"name={plan.name}",
            "getVendor": "vendor=Dahua",
            "getHardwareVersion": "version=1.00",
            "getSoftwareVersion": f"version={plan.firmware},build:2023-05-06",
        }
        if action == "getSystemInfo":
            return iter(
                (
                    f"deviceType={plan.model}",
                    "hardwareVersion=1.00",
                    f"serialNumber={self._state.serial}",
                    "processor=ST7108",
                )
            )
        if action == "getProductDefinition" and query.get("name") == "MaxRemoteInputChannels":
            return iter((f"table.ProductDefinition.MaxRemoteInputChannels={channels}",))
        return iter((values[action],)) if action in values else None

    def _config(self, name: str) -> Lines | None:
        match name:
            case "ChannelTitle":
                return (f"table.ChannelTitle[{one.number - 1}].Name={one.name}" for one in self._listed())
            case "Encode":
                return self._encode()
            case "VideoInOptions":
                return (f"table.VideoInOptions[{one.number - 1}].Mirror=false" for one in self._listed())
            case "Network":
                return iter(
                    (
                        "table.Network.DefaultInterface=eth0",
                        f"table.Network.eth0.IPAddress={self._state.shown_address}",
                        f"table.Network.eth0.PhysicalAddress={self._state.mac}",
                    )
                )
            case "RTSP":
                return iter(("table.RTSP.Enable=true", f"table.RTSP.Port={self._state.rtsp_port}"))
            case "VideoWidget":
                return self._widgets()
            case "Record":
                return self.recordings.schedules()
            case "RecordMode":
                return self.recordings.modes()
            case "RemoteDevice" if self._recorder:
                return self._remote_devices()
        return None

    def _listed(self) -> list[Channel]:
        """The channels that it lists just now, each at its own index."""
        faults = self._state.faults
        return [
            channel
            for channel in self._state.plan.channels
            if not {Fault.ONLINE_CHANNELS_ONLY, Fault.DEAD} <= faults(channel).keys()
        ]

    def _widgets(self) -> Lines:
        for channel in self._listed():
            kinds = {one.kind for one in self._state.settings.osds.values() if one.channel == channel.number}
            head = f"table.VideoWidget[{channel.number - 1}]"
            yield f"{head}.ChannelTitle.EncodeBlend={str(PLAIN in kinds).lower()}"
            yield f"{head}.TimeTitle.EncodeBlend={str(bool(kinds - {PLAIN})).lower()}"

    def _encode(self) -> Lines:
        for channel in self._listed():
            for form, number in (("MainFormat", 1), ("ExtraFormat", 2)):
                spec = self._state.settings.spec(channel.number, number)
                head = f"table.Encode[{channel.number - 1}].{form}[0].Video"
                yield f"{head}.Compression={_COMPRESSION[spec.codec]}"
                yield f"{head}.Width={spec.width}"
                yield f"{head}.Height={spec.height}"
                yield f"{head}.FPS={spec.fps}"
                yield f"table.Encode[{channel.number - 1}].{form}[0].VideoEnable=true"

    def _remote_devices(self) -> Lines:
        for channel in self._listed():
            head = f"table.RemoteDevice.uuid:System_CONFIG_NETCAMERA_INFO_{channel.number - 1}"
            yield f"{head}.Address={channel.behind or f'192.168.254.{channel.number + 1}'}"
            yield f"{head}.Enable=true"
            yield f"{head}.ProtocolType=Onvif"

    def _camera_states(self) -> Lines:
        for place, channel in enumerate(self._listed()):
            dead = Fault.DEAD in self._state.faults(channel)
            yield f"states[{place}].channel={channel.number - 1}"
            yield f"states[{place}].connectionState={'Unconnect' if dead else 'Connected'}"
