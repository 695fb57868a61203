"""The body of an answer as it comes in: inflated where the device compressed unasked, bounded as sent and decoded."""

import zlib

from camera_hub.cameras.http.endings import Ending
from camera_hub.cameras.http.messages import bad_reply, too_large


class IncomingBody:
    """`coding`: the value of Content-Encoding. `content` grows with each `add`; `ended`: its contents are complete."""

    def __init__(self, coding: str, limit: int, ending: Ending) -> None:
        coding = coding.strip().lower()
        if coding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise bad_reply("an unknown content encoding")
        self._limit = limit
        self._ending = ending
        self._inflate = zlib.decompressobj(47) if coding in ("gzip", "x-gzip", "deflate") else None
        self._raw_deflate = coding == "deflate"
        self._sent = 0
        self.content = bytearray()
        self.ended = False

    def add(self, data: bytes) -> None:
        """Raises HubError: REPLY_TOO_LARGE, BAD_REPLY."""
        self._sent += len(data)
        if self._sent > self._limit:
            raise too_large(self._limit)
        since = len(self.content)
        self.content += self._inflated(data) if self._inflate is not None else data
        if len(self.content) > self._limit:
            raise too_large(self._limit)
        self.ended = self.ended or self._ending.ended(self.content, since)

    @property
    def cut(self) -> bool:
        """Whether it has begun and is not complete."""
        return not self.ended and self._ending.begun(self.content)

    def _inflated(self, data: bytes) -> bytes:
        assert self._inflate is not None
        room = self._limit - len(self.content) + 1
        try:
            return self._inflate.decompress(data, room)
        except zlib.error as error:
            if self._raw_deflate and not self.content:  # deflate without zlib's header, as some servers understand it
                self._raw_deflate, self._inflate = False, zlib.decompressobj(-15)
                return self._inflated(data)
            if not self.content and data[:1] in (b"<", b"\xef"):  # it says that it compresses, and does not
                self._inflate = None
                return data
            raise bad_reply("its compression is broken") from error
