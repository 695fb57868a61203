"""All ONVIF services of a device behind its HTTP port. Operations are dispatched by name, whatever their path."""

from camera_hub.simulator.faults import Fault
from camera_hub.simulator.onvif import setting_faults, soap
from camera_hub.simulator.onvif.call import Call, Operation, Profiles
from camera_hub.simulator.onvif.device import DeviceService
from camera_hub.simulator.onvif.encoders import EncoderService
from camera_hub.simulator.onvif.events import EventService
from camera_hub.simulator.onvif.gate import Gate
from camera_hub.simulator.onvif.imaging import ImagingService
from camera_hub.simulator.onvif.media import MediaService
from camera_hub.simulator.onvif.media2 import Media2Service
from camera_hub.simulator.onvif.osd import OsdService
from camera_hub.simulator.onvif.ptz import PtzService
from camera_hub.simulator.onvif.quirks import spoiled
from camera_hub.simulator.onvif.search import SearchService
from camera_hub.simulator.onvif.soap import Refusal
from camera_hub.simulator.rtsp.stream import Stream
from camera_hub.simulator.state import DeviceState
from camera_hub.simulator.web import HttpRequest, HttpResponse

_TYPE = "application/soap+xml; charset=utf-8"


class OnvifService:
    """Answers SOAP requests."""

    def __init__(self, state: DeviceState, streams: dict[tuple[int, int], Stream]) -> None:
        self._state = state
        self._gate = Gate(state)
        profiles = Profiles(state, streams)
        self.events = EventService(state, profiles)
        self.search = SearchService(state)
        self._operations: dict[str, Operation] = {}
        for service in (
            DeviceService(),
            MediaService(profiles),
            Media2Service(profiles),
            EncoderService(profiles),
            OsdService(profiles, "trt"),
            OsdService(profiles, "tr2"),
            PtzService(profiles),
            ImagingService(profiles),
            self.events,
            self.search,
        ):
            self._operations |= service.operations

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer one request to a path below /onvif/."""
        if request.method != "POST":
            return HttpResponse(405)
        arrived = self._state.clock.monotonic()
        faults = self._state.faults()
        try:
            envelope = soap.parse(request.body)
            self._state.stats.requests[envelope.operation] += 1
            self._gate.check(request, envelope)
            operation = self._operations.get(envelope.operation)
            if operation is None:
                raise Refusal("The operation is not supported", "ter:ActionNotSupported", status=500)
            inside = setting_faults.answered(envelope.operation, faults)
            if inside is None:
                inside = await operation(Call(envelope, request.path, self._state, arrived))
        except Refusal as refusal:
            headers = self._gate.challenges(request) if refusal.status == 401 else ()
            if refusal.mute:
                return HttpResponse(refusal.status, headers=headers)
            body = soap.fault(refusal, soap_11=Fault.SOAP_11 in faults)
            return spoiled(HttpResponse(refusal.status, body, _TYPE, headers), faults)
        return spoiled(HttpResponse(200, soap.respond(envelope.operation, inside), _TYPE), faults)
