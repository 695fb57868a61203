"""Proving who we are to a device: HTTP Digest (RFC 7616) and WS-UsernameToken, as pure functions of their inputs."""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from lxml import etree

WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
DIGEST_TYPE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
_NONCE_TYPE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"

_PART = re.compile(r'([a-zA-Z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_HASHES = {"MD5": hashlib.md5, "MD5-SESS": hashlib.md5, "SHA-256": hashlib.sha256, "SHA-256-SESS": hashlib.sha256}


@dataclass(frozen=True, slots=True)
class DeviceLogin:
    """A user name and password of a device. `version` grows with each change; no `device_id`: not registered."""

    username: str
    password: str = field(repr=False)
    version: int = 1
    device_id: int | None = None

    def __bool__(self) -> bool:
        return bool(self.username)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a WWW-Authenticate: Digest header asks for."""

    realm: str
    nonce: str
    algorithm: str
    qop: Literal["", "auth"]
    opaque: str | None
    stale: bool


def challenge(headers: list[str]) -> Challenge | None:
    """The strongest digest challenge that we can answer, None when there is none (Basic alone is not answered)."""
    found: list[Challenge] = []
    for header in headers:
        scheme, _, rest = header.strip().partition(" ")
        if scheme.lower() != "digest":
            continue
        parts = {match[1].lower(): match[2] if match[2] is not None else match[3] for match in _PART.finditer(rest)}
        algorithm = parts.get("algorithm", "MD5").upper()
        offered = {word.strip().lower() for word in parts.get("qop", "").split(",") if word.strip()}
        if algorithm not in _HASHES or "nonce" not in parts or (offered and "auth" not in offered):
            continue
        found.append(
            Challenge(
                parts.get("realm", ""),
                parts["nonce"],
                algorithm,
                "auth" if offered else "",
                parts.get("opaque"),
                parts.get("stale", "").lower() == "true",
            )
        )
    return max(found, key=lambda one: one.algorithm.startswith("SHA-256"), default=None)


def digest(asked: Challenge, login: DeviceLogin, method: str, uri: str, *, cnonce: str, count: int = 1) -> str:
    """The Authorization header that answers the challenge."""

    def hashed(text: str) -> str:
        return _HASHES[asked.algorithm](text.encode()).hexdigest()

    secret = hashed(f"{login.username}:{asked.realm}:{login.password}")
    if asked.algorithm.endswith("-SESS"):
        secret = hashed(f"{secret}:{asked.nonce}:{cnonce}")
    request = hashed(f"{method}:{uri}")
    middle = f"{asked.nonce}:{count:08x}:{cnonce}:auth" if asked.qop else asked.nonce
    fields = {
        "username": login.username,
        "realm": asked.realm,
        "nonce": asked.nonce,
        "uri": uri,
        "response": hashed(f"{secret}:{middle}:{request}"),
    }
    if asked.opaque is not None:
        fields["opaque"] = asked.opaque
    quoted = [f'{name}="{_quotable(value)}"' for name, value in fields.items()]
    quoted.append(f"algorithm={asked.algorithm}")
    if asked.qop:
        quoted += ["qop=auth", f"nc={count:08x}", f'cnonce="{cnonce}"']
    return "Digest " + ", ".join(quoted)


def username_token(login: DeviceLogin, created: datetime, nonce: bytes) -> etree._Element:
    """The wsse:Security header; `created` must be the device's own time, else a skewed device refuses it."""
    stamp = created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    # SHA-1 is what the UsernameToken profile 1.0 prescribes.
    proof = hashlib.sha1(nonce + stamp.encode() + login.password.encode(), usedforsecurity=False).digest()
    security = etree.Element(f"{{{WSSE}}}Security", nsmap={"wsse": WSSE, "wsu": WSU})
    token = etree.SubElement(security, f"{{{WSSE}}}UsernameToken")
    etree.SubElement(token, f"{{{WSSE}}}Username").text = login.username
    password = etree.SubElement(token, f"{{{WSSE}}}Password", Type=DIGEST_TYPE)
    password.text = base64.b64encode(proof).decode()
    given = etree.SubElement(token, f"{{{WSSE}}}Nonce", EncodingType=_NONCE_TYPE)
    given.text = base64.b64encode(nonce).decode()
    etree.SubElement(token, f"{{{WSU}}}Created").text = stamp
    return security


def _quotable(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
