"""The HTTP port of a device: ONVIF, the vendor's interface, snapshots, and the faults that they share."""

from camera_hub.simulator.faults import Fault
from camera_hub.simulator.giant import pour
from camera_hub.simulator.listener import Line
from camera_hub.simulator.onvif.service import OnvifService
from camera_hub.simulator.rtsp.stream import Stream
from camera_hub.simulator.state import DeviceState
from camera_hub.simulator.vendors.interface import VendorInterface
from camera_hub.simulator.web import HttpRequest, HttpResponse, converse

_GIANT_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\n"


class HttpPort:
    """Dispatches each request by its path."""

    def __init__(self, state: DeviceState, streams: dict[tuple[int, int], Stream]) -> None:
        self._state = state
        self.onvif = OnvifService(state, streams)
        self._vendor = VendorInterface(state, streams)

    async def serve_secure(self, line: Line) -> None:
        """Serve one client that speaks TLS until it disconnects."""
        await self.serve(line, secure=True)

    async def serve(self, line: Line, *, secure: bool = False) -> None:
        """Serve one client until it disconnects."""
        self._state.stats.http_connections += 1

        async def send(data: bytes) -> None:
            await line.send(data, drips=Fault.SLOW_DRIP in self._state.faults())

        async def answer(request: HttpRequest) -> HttpResponse | None:
            await self._state.while_silent()
            if Fault.GIANT_REPLY in self._state.faults():
                await pour(line, _GIANT_HEAD)
                return None
            if Fault.TLS_ONLY in self._state.faults() and not secure:
                return HttpResponse(301, headers=(("Location", self._state.http_url(request.path)),))
            return await self._answer(request)

        await converse(line.reader, send, answer)

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        faults = self._state.faults()
        if Fault.REDIRECT in faults:
            return HttpResponse(302, headers=(("Location", f"http://{self._state.canary}/stolen"),))
        if self._vendor.takes(request):
            return await self._vendor.answer(request)
        if request.path.startswith("/onvif/") and Fault.ONVIF_OFF not in faults:
            return await self.onvif.answer(request)
        return HttpResponse(404)
