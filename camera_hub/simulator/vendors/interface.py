"""A device's own HTTP interface beside ONVIF: who is admitted, its pictures, and the vendor's questions and answers."""

import asyncio
from typing import Protocol

from camera_hub.simulator.admission import Admission
from camera_hub.simulator.auth import Doorkeeper
from camera_hub.simulator.faults import Fault
from camera_hub.simulator.model import Vendor
from camera_hub.simulator.picture.snapshot import jpeg
from camera_hub.simulator.rtsp.stream import Stream
from camera_hub.simulator.state import DeviceState
from camera_hub.simulator.vendors.dahua_cgi import DahuaCgi
from camera_hub.simulator.vendors.isapi import Isapi
from camera_hub.simulator.vendors.paths import picture_of
from camera_hub.simulator.vendors.refusals import http_refusal
from camera_hub.simulator.web import HttpRequest, HttpResponse


class Questions(Protocol):
    """What one vendor's interface answers."""

    def takes(self, path: str) -> bool: ...
    def open_answer(self, request: HttpRequest) -> HttpResponse | None: ...
    def denied(self, request: HttpRequest) -> tuple[bytes, str]: ...
    def answer(self, request: HttpRequest) -> HttpResponse: ...


class _NoQuestions:
    """A device whose pictures are all that it serves beside ONVIF."""

    def takes(self, path: str) -> bool:
        return False

    def open_answer(self, request: HttpRequest) -> HttpResponse | None:
        return None

    def denied(self, request: HttpRequest) -> tuple[bytes, str]:
        return b"", "text/plain"

    def answer(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(404)


class VendorInterface:
    """Answers behind HTTP Digest."""

    def __init__(self, state: DeviceState, streams: dict[tuple[int, int], Stream]) -> None:
        self._state = state
        self._streams = streams
        self._vendor = state.plan.vendor
        realm = f"Login to {state.plan.serial}" if self._vendor is Vendor.DAHUA else state.plan.serial
        self._admission = Admission(state, Doorkeeper(realm, basic=False, digest=True))
        self._questions: Questions = _NoQuestions()
        if self._vendor is Vendor.HIKVISION:
            self._questions = Isapi(state)
        elif self._vendor is Vendor.DAHUA:
            self._questions = DahuaCgi(state)

    def takes(self, request: HttpRequest) -> bool:
        """Whether a request is for this interface. Its pictures are served when the rest is off, too."""
        off = Fault.VENDOR_HTTP_OFF in self._state.faults()
        return self._picture_of(request) is not None or (not off and self._questions.takes(request.path))

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Answer one request that it takes."""
        self._state.stats.requests[request.path] += 1
        if (refused := self._refusal(request)) is not None:
            return refused
        if (found := self._picture_of(request)) is not None:
            return await self._picture(found)
        return self._questions.answer(request)

    def _picture_of(self, request: HttpRequest) -> tuple[int, int] | None:
        return picture_of(self._vendor, f"{request.path}?{request.query}" if request.query else request.path)

    def _refusal(self, request: HttpRequest) -> HttpResponse | None:
        if (answer := self._questions.open_answer(request)) is not None:
            return answer
        given = request.headers.get("authorization")
        if (refused := http_refusal(self._state)) is not None and not (given is None and refused.challenge):
            self._count_refused(given)
            headers = tuple(self._admission.challenges(signed=True)) if refused.challenge else ()
            return HttpResponse(refused.status, refused.body, refused.content_type, headers)
        if given is not None and self._admission.admits(request.method, given, self._state.device_logins):
            return None
        body, kind = self._questions.denied(request)
        return HttpResponse(401, body, kind, tuple(self._admission.challenges(signed=given is not None)))

    def _count_refused(self, given: str | None) -> None:
        if given is not None:
            self._state.stats.logins += 1
            self._state.stats.logins_failed += 1

    async def _picture(self, wanted: tuple[int, int]) -> HttpResponse:
        stream = self._streams.get(wanted)
        if stream is None:
            return HttpResponse(404)
        if Fault.DEAD in self._state.faults(stream.channel):
            return HttpResponse(503)
        now = self._state.now()
        picture = await asyncio.to_thread(
            jpeg, stream.look(), stream.spec, stream.caption_now(), now.timestamp(), stream.aside()
        )
        return HttpResponse(200, picture, "image/jpeg")
