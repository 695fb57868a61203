"""DESCRIBE, and OPTIONS before it for cameras that want that: they answer 400, are silent, or hang up (RFC 2326 section
10.1 demands no order).
"""

from collections.abc import Callable
from typing import Final

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.peculiarity_kinds import PeculiarityKind
from camera_hub.relay.messages import RtspLiveSource
from camera_hub.relay.rtsp.connection import speaks_tls
from camera_hub.relay.rtsp.learnt import Learnt
from camera_hub.relay.rtsp.message import Response, tls_needed
from camera_hub.relay.rtsp.requests import SessionRequests

_NEED_OPTIONS: Final = frozenset({400, 405, 454, 455, 501, 551})
"""Answers of a camera that may want OPTIONS first."""


class Describing:
    """Of one session. `on_public` gets the methods that the camera says it knows, where it was asked."""

    def __init__(
        self,
        requests: SessionRequests,
        source: RtspLiveSource,
        url: str,
        learnt: Learnt,
        on_public: Callable[[str], None],
    ) -> None:
        self._requests = requests
        self._source = source
        self._url = url
        self._learnt = learnt
        self._on_public = on_public

    async def answer(self) -> Response:
        """The answer to DESCRIBE, whatever its status. Raises HubError."""
        if self._learnt.get(PeculiarityKind.RTSP_OPTIONS_FIRST) is not None:
            await self._ask_options()
            return await self._ask()
        try:
            answer = await self._ask(nudge=True)
        except HubError as error:
            silent = not self._requests.connection.responses.answered
            if error.reason != Reason.UNREACHABLE or not silent or not self._requests.may_redial:
                raise
            answer = await self._anew(error)
            self._learnt.note(PeculiarityKind.RTSP_OPTIONS_FIRST, "yes")
            return answer
        if answer.status in _NEED_OPTIONS:
            await self._ask_options()
            again = await self._ask()
            if again.status not in _NEED_OPTIONS:
                self._learnt.note(PeculiarityKind.RTSP_OPTIONS_FIRST, "yes")
            return again
        return answer

    async def _anew(self, closed: HubError) -> Response:
        """The camera hung up at DESCRIBE without a word: with OPTIONS first, on a new connection."""
        try:
            await self._requests.redial()
            await self._ask_options()
            return await self._ask()
        except HubError as error:
            if error.reason != Reason.UNREACHABLE or self._requests.connection.responses.answered:
                raise
        if not self._url.startswith("rtsps:") and await speaks_tls(self._source.address, self._source.port):
            raise tls_needed()
        raise HubError(
            Kind.UNREACHABLE,
            "the camera accepts connections and closes them without an answer; check that this is its RTSP port, and "
            "that it has room for one more viewer",
            reason=Reason.UNREACHABLE,
        ) from closed

    async def _ask(self, *, nudge: bool = False) -> Response:
        return await self._requests.send("DESCRIBE", self._url, {"Accept": "application/sdp"}, nudge=nudge)

    async def _ask_options(self) -> None:
        answer = await self._requests.send("OPTIONS", self._url)
        if answer.status < 300:
            self._on_public(answer.header("public"))
