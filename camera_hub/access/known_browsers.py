"""Browsers that have signed in before: a signed cookie says for which accounts, so that others who fail to sign in do
not slow them down (access.throttle). It signs nobody in, and names no account to whoever reads it.

The cookie holds an entry per account, newest first: id (12 bytes), Unix time (4), HMAC-SHA-256 cut to 16 bytes over
both and the user name; together in base64url. A browser of a shared desk may be known for several accounts.
"""

import base64
import hmac
import secrets
import struct
from collections.abc import Iterator

from camera_hub.clock import Clock

ENTRIES = 8
DAYS = 180
_HEAD = struct.Struct("!12sI")
_MAC = 16
_SIZE = _HEAD.size + _MAC
MAX_COOKIE = 4 * ((ENTRIES * _SIZE + 2) // 3)


class KnownBrowsers:
    """`key`: 32 secret bytes that stay the same (access.vault)."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def browser(self, cookie: str, username: str) -> str:
        """The id of the browser if it is known for that account, else ""."""
        now = int(self._clock.now().timestamp())
        for head, mac in _entries(cookie):
            browser, at = _HEAD.unpack(head)
            if now < at + DAYS * 86_400 and hmac.compare_digest(mac, self._mac(head, username)):
                return str(browser.hex())
        return ""

    def with_account(self, cookie: str, username: str) -> str:
        """The cookie of a browser that has just signed in to that account; the oldest accounts give way."""
        head = _HEAD.pack(secrets.token_bytes(12), int(self._clock.now().timestamp()))
        others = [one for one in _entries(cookie) if not hmac.compare_digest(one[1], self._mac(one[0], username))]
        entries = [(head, self._mac(head, username)), *others][:ENTRIES]
        return base64.urlsafe_b64encode(b"".join(head + mac for head, mac in entries)).decode().rstrip("=")

    def _mac(self, head: bytes, username: str) -> bytes:
        name = username.strip().casefold().encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, head + name, "sha256")[:_MAC]


def _entries(cookie: str) -> Iterator[tuple[bytes, bytes]]:
    if len(cookie) > MAX_COOKIE or not cookie.isascii():
        return
    try:
        data = base64.urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))
    except ValueError:
        return
    for start in range(0, len(data) - _SIZE + 1, _SIZE):
        entry = data[start : start + _SIZE]
        yield entry[: _HEAD.size], entry[_HEAD.size :]
