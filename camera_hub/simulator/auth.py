"""Basic and Digest authentication as HTTP and RTSP use them (RFC 7617, RFC 7616)."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from enum import StrEnum

_PAIR = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_MAX_COUNTED = 1024
_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


@dataclass(frozen=True, slots=True)
class Login:
    """A user name and its password."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a doorkeeper behaves just now."""

    realm: str | None = None  # another one than its own
    digest_alone: bool = False
    era: int | None = None  # nonces of other eras are stale, and each nonce's count must grow by one


PLAIN = Manner()


class Outcome(StrEnum):
    """What became of an Authorization header."""

    ADMITTED = "admitted"
    STALE = "stale"  # the nonce is not taken any more; nothing is said of the password
    REFUSED = "refused"


class Doorkeeper:
    """Issues challenges and checks answers. Nonces are signed, so that only those of strict manners are stored."""

    def __init__(self, realm: str, *, basic: bool, digest: bool, algorithm: str = "MD5") -> None:
        self._realm = realm
        self._basic = basic
        self._digest = digest
        self._algorithm = algorithm
        self._key = secrets.token_bytes(16)
        self._counts: dict[str, int] = {}

    def challenges(self, manner: Manner = PLAIN) -> list[str]:
        """The WWW-Authenticate header values, Digest first."""
        realm = self._realm if manner.realm is None else manner.realm
        offered = []
        if self._digest:
            nonce = self._nonce(manner.era or 0)
            offered.append(f'Digest realm="{realm}", nonce="{nonce}", algorithm={self._algorithm}, qop="auth"')
        if self._basic and not manner.digest_alone:
            offered.append(f'Basic realm="{realm}"')
        return offered

    def check(self, method: str, header: str, logins: tuple[Login, ...], manner: Manner = PLAIN) -> Outcome:
        """What an Authorization header value is worth."""
        scheme, _, rest = header.partition(" ")
        if scheme.lower() == "basic" and self._basic and not manner.digest_alone:
            try:
                given = base64.b64decode(rest, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                return Outcome.REFUSED
            fits = [hmac.compare_digest(given.encode(), f"{one.username}:{one.password}".encode()) for one in logins]
            return Outcome.ADMITTED if any(fits) else Outcome.REFUSED
        if scheme.lower() == "digest" and self._digest:
            values = {name.lower(): quoted or plain for name, quoted, plain in _PAIR.findall(rest)}
            if manner.era is not None and not self._fresh(values, manner.era):
                return Outcome.STALE
            realm = self._realm if manner.realm is None else manner.realm
            if any(self._digest_fits(method, values, login, realm) for login in logins):
                return Outcome.ADMITTED
        return Outcome.REFUSED

    def _nonce(self, era: int) -> str:
        salt = secrets.token_hex(6) + f"{era & 0xFFFF:04x}"
        return salt + self._sign(salt)

    def _fresh(self, values: dict[str, str], era: int) -> bool:
        """Whether the nonce is of this era, and its count is the next one."""
        nonce, count = values.get("nonce", ""), values.get("nc", "")
        if nonce[12:16] != f"{era & 0xFFFF:04x}" or not re.fullmatch("[0-9a-f]{8}", count):
            return False
        if int(count, 16) != self._counts.get(nonce, 0) + 1:
            return False
        if len(self._counts) >= _MAX_COUNTED:
            self._counts.clear()
        self._counts[nonce] = int(count, 16)
        return True

    def _sign(self, salt: str) -> str:
        return hmac.new(self._key, salt.encode(), "sha256").hexdigest()[:16]

    def _digest_fits(self, method: str, values: dict[str, str], login: Login, realm: str) -> bool:
        nonce = values.get("nonce", "")
        if values.get("username") != login.username or not hmac.compare_digest(nonce[16:], self._sign(nonce[:16])):
            return False

        def digest(text: str) -> str:
            return _HASHES[self._algorithm](text.encode()).hexdigest()

        ha1 = digest(f"{login.username}:{realm}:{login.password}")
        ha2 = digest(f"{method}:{values.get('uri', '')}")
        middle = nonce
        if values.get("qop"):
            middle += f":{values.get('nc', '')}:{values.get('cnonce', '')}:{values['qop']}"
        return hmac.compare_digest(values.get("response", ""), digest(f"{ha1}:{middle}:{ha2}"))
