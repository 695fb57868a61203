"""Basic and Digest authentication as HTTP and RTSP use them (RFC 7617, RFC 7616)."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

_PAIR = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


@dataclass(frozen=True, slots=True)
class Login:
    """A user name and its password."""

    username: str
    password: str = field(repr=False)


class Doorkeeper:
    """Issues challenges and checks answers. Nonces are signed, so that they need not be stored."""

    def __init__(self, realm: str, *, basic: bool, digest: bool, algorithm: str = "MD5") -> None:
        self._realm = realm
        self._basic = basic
        self._digest = digest
        self._algorithm = algorithm
        self._key = secrets.token_bytes(16)

    def challenges(self) -> list[str]:
        """The WWW-Authenticate header values, Digest first."""
        offered = []
        if self._digest:
            offered.append(
                f'Digest realm="{self._realm}", nonce="{self._nonce()}", algorithm={self._algorithm}, qop="auth"'
            )
        if self._basic:
            offered.append(f'Basic realm="{self._realm}"')
        return offered

    def admits(self, method: str, header: str, logins: tuple[Login, ...]) -> bool:
        """Whether the Authorization header value is valid for one of the logins."""
        scheme, _, rest = header.partition(" ")
        if scheme.lower() == "basic" and self._basic:
            try:
                given = base64.b64decode(rest, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                return False
            return any(hmac.compare_digest(given.encode(), f"{one.username}:{one.password}".encode()) for one in logins)
        if scheme.lower() == "digest" and self._digest:
            values = {name.lower(): quoted or plain for name, quoted, plain in _PAIR.findall(rest)}
            return any(self._digest_fits(method, values, login) for login in logins)
        return False

    def _nonce(self) -> str:
        salt = secrets.token_hex(8)
        return salt + self._sign(salt)

    def _sign(self, salt: str) -> str:
        return hmac.new(self._key, salt.encode(), "sha256").hexdigest()[:16]

    def _digest_fits(self, method: str, values: dict[str, str], login: Login) -> bool:
        nonce = values.get("nonce", "")
        if values.get("username") != login.username or not hmac.compare_digest(nonce[16:], self._sign(nonce[:16])):
            return False

        def digest(text: str) -> str:
            return _HASHES[self._algorithm](text.encode()).hexdigest()

        ha1 = digest(f"{login.username}:{self._realm}:{login.password}")
        ha2 = digest(f"{method}:{values.get('uri', '')}")
        middle = nonce
        if values.get("qop"):
            middle += f":{values.get('nc', '')}:{values.get('cnonce', '')}:{values['qop']}"
        return hmac.compare_digest(values.get("response", ""), digest(f"{ha1}:{middle}:{ha2}"))
