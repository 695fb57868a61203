"""Requests that wait for their responses, by CSeq (RFC 2326 section 12.17), and what becomes of responses without one.

Some cameras answer with CSeq 0, with the number before, or with none. As long as one request is outstanding, the next
response is its answer all the same; where several are, it cannot be told to which it belongs.
"""

import asyncio
from collections.abc import Sequence

from camera_hub.errors import HubError, Kind, Reason
from camera_hub.relay.rtsp.message import Response

MAX_GIVEN_UP = 8
"""Requests without an answer in time whose late answers are still known as such."""


class PendingResponse:
    """One request that was sent. `lost` fails when its connection ends."""

    def __init__(self, method: str, cseq: int, lost: "asyncio.Future[None]") -> None:
        self.method = method
        self.cseq = cseq
        self.given_up = False
        self._lost = lost
        self._response: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

    @property
    def over(self) -> bool:
        """Whether its response is there, or the connection lost."""
        return self._response.done()

    @property
    def answered(self) -> bool:
        """Whether its response is there."""
        return self._response.done() and not self._response.cancelled()

    def resolve(self, response: Response | None) -> None:
        """Its response has come; None: the connection is lost."""
        if self._response.done():
            return
        if response is None:
            self._response.cancel()
        else:
            self._response.set_result(response)

    async def answer(self, deadline: float) -> Response:
        """Wait `deadline` seconds for the response. Raises HubError, TIMED_OUT without one."""
        await first_of([self], deadline)
        if self.answered:
            return self._response.result()
        if self._response.cancelled():
            self._lost.result()
        self.give_up()
        raise HubError(
            Kind.TIMEOUT,
            f"the camera did not answer {self.method} within {deadline:g} s; check its link, or restart it",
            reason=Reason.TIMED_OUT,
        )

    def give_up(self) -> None:
        """Nobody waits for it any longer, but the response may still come."""
        self.given_up = True

    async def wait(self, seconds: float) -> bool:
        """Wait until it is over, or the time is. Whether it is over."""
        await first_of([self], seconds)
        return self._response.done()

    @property
    def future(self) -> "asyncio.Future[Response]":
        """For `first_of`."""
        return self._response


async def first_of(pending: Sequence[PendingResponse], seconds: float) -> None:
    """Wait until one of them is over, or the time is."""
    await asyncio.wait([one.future for one in pending], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)


class PendingResponses:
    """Of one connection. `quirk`: "wrong" or "missing" once a response was known only by being the one that was due.
    `answered`: whether there was any response."""

    def __init__(self, lost: "asyncio.Future[None]") -> None:
        self._lost = lost
        self._last = 0
        self._waiting: dict[int, PendingResponse] = {}
        self.quirk = ""
        self.answered = False

    @property
    def described(self) -> bool:
        """Whether an answer to DESCRIBE is due."""
        return any(one.method == "DESCRIBE" for one in self._waiting.values())

    def next_cseq(self) -> int:
        """The number of the next request."""
        self._last += 1
        return self._last

    def add(self, method: str, cseq: int) -> PendingResponse:
        """A request is sent."""
        given_up = [number for number, one in self._waiting.items() if one.given_up]
        for number in given_up[: max(0, len(given_up) - MAX_GIVEN_UP + 1)]:
            del self._waiting[number]
        pending = self._waiting[cseq] = PendingResponse(method, cseq, self._lost)
        return pending

    def on_response(self, response: Response) -> None:
        """A response has come."""
        if response.status < 200:  # informational: the answer follows
            return
        self.answered = True
        text = response.header("cseq")
        cseq = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
        if cseq not in self._waiting:
            if len(self._waiting) != 1:
                return
            cseq = next(iter(self._waiting))
            self.quirk = self.quirk or ("wrong" if text else "missing")
        pending = self._waiting.pop(cseq)
        if not pending.given_up:
            pending.resolve(response)

    def cancel(self) -> None:
        """The connection is lost."""
        for pending in self._waiting.values():
            pending.resolve(None)
