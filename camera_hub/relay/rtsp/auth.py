"""Answering a camera's challenge: Digest with SHA-256, then MD5, Basic last. Pure (RFC 7616, RFC 7617, RFC 2617)."""

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

_PAIR = re.compile(r'(?<![A-Za-z0-9_-])([A-Za-z0-9_-]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^\s,]*))')
"""Possessive and anchored: what a camera sends is read in one pass (8 KiB without an "=" took 1.5 s otherwise)."""
MAX_CHALLENGE = 2048
MAX_CHALLENGES = 8
_HASHES: dict[str, Callable[[bytes], "hashlib._Hash"]] = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a camera demands, the best it offers. `scheme`: "digest" or "basic"."""

    scheme: str
    realm: str
    nonce: str = ""
    algorithm: str = "MD5"
    session: bool = False  # a "-sess" algorithm
    qop: bool = False
    opaque: str | None = None
    stale: bool = False


@dataclass(slots=True)
class RtspLogin:
    """Signs requests with one login. Never shows it."""

    username: str
    password: str = field(repr=False)
    challenge: Challenge | None = None
    _count: int = 0

    def header(self, method: str, uri: str, client_nonce: str) -> str | None:
        """Value of Authorization for this request; None before the first challenge."""
        challenge = self.challenge
        if challenge is None:
            return None
        if challenge.scheme == "basic":
            return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        self._count += 1
        return digest(challenge, self.username, self.password, method, uri, client_nonce, self._count)


def digest(
    challenge: Challenge, username: str, password: str, method: str, uri: str, client_nonce: str, count: int
) -> str:
    """Value of Authorization for a Digest challenge."""

    def hashed(*parts: str) -> str:
        return _HASHES[challenge.algorithm](":".join(parts).encode()).hexdigest()

    secret = hashed(username, challenge.realm, password)
    if challenge.session:
        secret = hashed(secret, challenge.nonce, client_nonce)
    what = hashed(method, uri)
    fields = {"username": username, "realm": challenge.realm, "nonce": challenge.nonce, "uri": uri}
    plain = ""
    if challenge.qop:
        number = f"{count:08x}"
        fields["response"] = hashed(secret, challenge.nonce, number, client_nonce, "auth", what)
        fields["cnonce"] = client_nonce
        plain = f", qop=auth, nc={number}"
    else:
        fields["response"] = hashed(secret, challenge.nonce, what)
        if challenge.session:
            fields["cnonce"] = client_nonce
    if challenge.opaque is not None:
        fields["opaque"] = challenge.opaque
    quoted = ", ".join(f'{name}="{_escaped(value)}"' for name, value in fields.items())
    if challenge.algorithm != "MD5" or challenge.session:
        plain += f", algorithm={challenge.algorithm}{'-sess' if challenge.session else ''}"
    return f"Digest {quoted}{plain}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def best_challenge(values: Sequence[str]) -> Challenge | None:
    """The best of the WWW-Authenticate values that we can answer; None when there is none. Overlong ones are none."""
    found = [
        challenge
        for value in values[:MAX_CHALLENGES]
        if len(value) <= MAX_CHALLENGE
        for challenge in _read(value)[:MAX_CHALLENGES]
    ]
    order = {"SHA-256": 0, "MD5": 1}
    found.sort(key=lambda one: (one.scheme != "digest", order.get(one.algorithm, 2)))
    return found[0] if found else None


def _read(value: str) -> list[Challenge]:
    """Challenges of one header line; some cameras join several by commas."""
    starts = [match.start() for match in re.finditer(r"(?:^|,)\s*(?:Digest|Basic)\s", value, re.IGNORECASE)]
    challenges: list[Challenge] = []
    for start, end in pairwise([*starts, len(value)]):
        text = value[start:end].lstrip(", ")
        scheme, _, rest = text.partition(" ")
        fields = {
            match[1].lower(): re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else match[3]
            for match in _PAIR.finditer(rest)
        }
        made = _challenge(scheme.lower(), fields)
        if made is not None:
            challenges.append(made)
    return challenges


def _challenge(scheme: str, fields: dict[str, str]) -> Challenge | None:
    realm = fields.get("realm", "")
    if scheme == "basic":
        return Challenge("basic", realm)
    algorithm = fields.get("algorithm", "MD5").upper()
    session = algorithm.endswith("-SESS")
    algorithm = algorithm.removesuffix("-SESS")
    qops = {word.strip().lower() for word in fields.get("qop", "").split(",") if word.strip()}
    if algorithm not in _HASHES or "nonce" not in fields or (qops and "auth" not in qops):
        return None
    return Challenge(
        "digest",
        realm,
        fields["nonce"],
        algorithm,
        session,
        bool(qops),
        fields.get("opaque"),
        fields.get("stale", "").lower() == "true",
    )
