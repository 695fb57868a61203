"""HTTP authentication as cameras and recorders require it, over HTTP and RTSP: parses and answers challenges.

Pure, no I/O. Grammar of WWW-Authenticate: RFC 7235; Digest: RFC 7616 and RFC 2617 (no qop); Basic: RFC 7617. Whatever a
device sends may be hostile: a header is parsed in one pass, quoted text is never taken for a scheme, and sizes and
numbers are bounded.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice
from typing import Literal

MAX_HEADER = 2048
"""Characters of one WWW-Authenticate header; a longer one is not parsed."""
MAX_HEADERS = 8
"""WWW-Authenticate headers of one answer; further ones are ignored."""
MAX_WORDS = 128
"""Schemes and parameters of one header; further ones are ignored."""

_HASHES: dict[str, Callable[[bytes], "hashlib._Hash"]] = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}

# Possessive, so that no character is matched twice whatever a device sends.
_SPACE = re.compile(r"[ \t\r\n]*+")
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++")
_STRAY = re.compile(r"[^ \t\r\n,\"!#$%&'*+\-.^_`|~0-9A-Za-z]++")
_QUOTED = re.compile(
    r'"((?:[^"\\]|\\.)*+)(?:"|\\?\Z)', re.DOTALL
)  # an unterminated one extends to the end of the header
_BARE = re.compile(r"[^\s,]*+")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge of a device. `algorithm` is "SHA-256" or "MD5", whether named or implied."""

    scheme: Literal["digest", "basic"]
    realm: str
    nonce: str = ""
    algorithm: str = "MD5"
    session: bool = False  # a "-sess" algorithm
    qop: bool = False  # qop=auth; without it as in RFC 2069
    opaque: str | None = None
    stale: bool = False
    names_algorithm: bool = False


@dataclass(eq=False, slots=True)
class NonceUse:
    """A challenge that was answered, and how many requests were signed with its nonce. Shared by all that sign with it:
    the nonce count must grow from one to the next, whoever sends them."""

    challenge: Challenge
    count: int = 0


class AuthOutcome(Enum):
    """What a 401 means for our login."""

    TRY = auto()  # sign the request and send it again
    REFUSED = auto()  # the device has seen this login and does not accept it
    UNANSWERABLE = auto()  # no challenge that can be answered
    DOWNGRADED = auto()  # Basic from a device that has asked for Digest before: the password is not sent


class Authenticator:
    """Signs one client's requests to one device with one login. Never shows the login.

    `basic`: whether Basic may be answered at all. `digest_seen`: this device has offered Digest, now or before; from
    then on Basic, which carries the password in the clear, is not answered. `stale_believed`: whether stale=true is
    believed of a challenge that nothing was accepted with yet; no longer once the login was refused all the same.
    `known`: a challenge with which this login was accepted before. Requests that run at the same time need an
    Authenticator each, since a 401 concerns the one that it answers; they share `known`.
    """

    def __init__(
        self,
        username: str,
        password: str,
        *,
        basic: bool,
        digest_seen: bool = False,
        stale_believed: bool = True,
        known: NonceUse | None = None,
    ) -> None:
        self._username = username
        self._password = password
        self._basic = basic
        self._use = known
        self._accepted = known is not None
        self._renewed = False  # by stale=true, and not accepted since
        self.unsure = False
        """Whether the last 401 answered what an accepted challenge had signed, and did not say stale: whether the
        device has renewed its nonce or refused the login, only what is signed next tells."""
        self.digest_seen = digest_seen
        self.stale_believed = stale_believed

    @property
    def challenged(self) -> bool:
        """Whether requests are being signed."""
        return self._use is not None

    @property
    def accepted_use(self) -> NonceUse | None:
        """The challenge with which the login was accepted, to sign other requests with; None while it was not."""
        return self._use if self._accepted else None

    @property
    def fresh(self) -> bool:
        """Whether requests are being signed with a challenge of which nothing was accepted yet: a 401 to one of them is
        a refused try, believed to be stale or not."""
        return self._use is not None and not self._accepted

    def unauthorized(self, headers: Sequence[str]) -> AuthOutcome:
        """Handle a 401 with these WWW-Authenticate headers; says whether to try the request again.

        A challenge is fresh until a request that was signed with it is accepted. A 401 to what a fresh one signed means
        that the login is wrong, whatever its headers are and however many new nonces it offers; only stale=true is
        believed, once. A 401 to what an accepted challenge signed says nothing of the login if it brings another nonce,
        or none: devices renew their nonce, or forget it. So one request is sent four times at most.
        """
        offers = _offers(headers)
        before = self.digest_seen
        self.digest_seen = before or any(scheme == "digest" for scheme, _ in offers)
        best = strongest(_challenges(offers), basic=self._basic)
        downgraded = best is not None and best.scheme == "basic" and self.digest_seen
        known, accepted = self._use.challenge if self._use is not None else None, self._accepted
        self.unsure = False
        if known is not None and not accepted and not self._believed_stale(best, downgraded):
            self.stale_believed = self.stale_believed and not self._renewed
            return AuthOutcome.REFUSED
        same = known is not None and best is not None and (best.scheme, best.nonce) == (known.scheme, known.nonce)
        if same and best is not None and not best.stale:
            return AuthOutcome.REFUSED  # what it has accepted elsewhere is not enough for this request
        self._accepted = False
        self.unsure = known is not None and accepted and (best is None or not best.stale)
        if best is None or downgraded:
            self._use = None
            if known is not None and accepted and not offers:
                return AuthOutcome.TRY  # unsigned, to be challenged anew
            return AuthOutcome.DOWNGRADED if best is not None and before else AuthOutcome.UNANSWERABLE
        self._renewed = known is not None and not accepted
        if self._use is not None and known is not None and best.nonce == known.nonce:
            self._use.challenge = best
        else:
            self._use = NonceUse(best)  # nc counts the requests of one nonce, from 1 (RFC 7616 section 3.4)
        return AuthOutcome.TRY

    def _believed_stale(self, best: Challenge | None, downgraded: bool) -> bool:
        """Whether a fresh challenge was answered too late, or another scheme is asked for than the one answered."""
        if best is None or downgraded or self._renewed or self._use is None:
            return False
        return (best.stale and self.stale_believed) or best.scheme != self._use.challenge.scheme

    def accepted(self) -> None:
        """The device has answered a signed request with something other than 401."""
        self._accepted = self._use is not None
        self._renewed = False

    def authorization(self, method: str, uri: str, cnonce: str) -> str | None:
        """Value of the Authorization header for the next request; None before the first challenge."""
        if self._use is None:
            return None
        if self._use.challenge.scheme == "basic":
            return "Basic " + base64.b64encode(f"{self._username}:{self._password}".encode()).decode()
        self._use.count += 1
        return digest(self._use.challenge, self._username, self._password, method, uri, cnonce, self._use.count)


def digest(
    challenge: Challenge, username: str, password: str, method: str, uri: str, cnonce: str, count: int = 1
) -> str:
    """Value of the Authorization header that answers a Digest challenge; `count` is nc."""

    def hashed(*parts: str) -> str:
        return _HASHES[challenge.algorithm](":".join(parts).encode()).hexdigest()

    secret = hashed(username, challenge.realm, password)
    if challenge.session:
        secret = hashed(secret, challenge.nonce, cnonce)
    request = hashed(method, uri)
    fields = {"username": username, "realm": challenge.realm, "nonce": challenge.nonce, "uri": uri}
    plain = ""
    if challenge.qop:
        number = f"{count:08x}"
        fields["response"] = hashed(secret, challenge.nonce, number, cnonce, "auth", request)
        plain = f", qop=auth, nc={number}"
    else:
        fields["response"] = hashed(secret, challenge.nonce, request)
    if challenge.qop or challenge.session:
        fields["cnonce"] = cnonce
    if challenge.opaque is not None:
        fields["opaque"] = challenge.opaque
    if challenge.names_algorithm:
        plain += f", algorithm={challenge.algorithm}{'-sess' if challenge.session else ''}"
    quoted = ", ".join(f'{name}="{_escaped(value)}"' for name, value in fields.items())
    return f"Digest {quoted}{plain}"


def strongest(challenges: Sequence[Challenge], *, basic: bool) -> Challenge | None:
    """The strongest challenge: SHA-256 before MD5, Basic last and only if `basic` allows it; None when none is left."""
    order = {"SHA-256": 0, "MD5": 1}
    fit = [one for one in challenges if one.scheme == "digest" or basic]
    return min(fit, key=lambda one: (one.scheme != "digest", order[one.algorithm]), default=None)


def read_challenges(headers: Sequence[str]) -> list[Challenge]:
    """The challenges of these WWW-Authenticate headers that can be answered, without overlong or malformed ones."""
    return _challenges(_offers(headers))


Offer = tuple[str, dict[str, str]]
"""A scheme in lower case and its parameters."""


def _challenges(offers: Iterable[Offer]) -> list[Challenge]:
    return [challenge for scheme, parameters in offers if (challenge := _challenge(scheme, parameters)) is not None]


def _offers(headers: Sequence[str]) -> list[Offer]:
    """All that is offered, answerable or not. Of an overlong header it only counts whether it mentions Digest."""
    found: list[Offer] = []
    for header in headers[:MAX_HEADERS]:
        if len(header) <= MAX_HEADER:
            found += _schemes(header)
        elif "digest" in header[:MAX_HEADER].lower():
            found.append(("digest", {}))
    return found


def _schemes(header: str) -> list[Offer]:
    """The schemes that one header offers; of a repeated parameter the first counts."""
    found: list[Offer] = []
    for name, value in islice(_words(header), MAX_WORDS):
        if value is None:
            found.append((name.lower(), {}))
        elif found:
            found[-1][1].setdefault(name.lower(), value)
    return found


def _words(header: str) -> Iterator[tuple[str, str | None]]:
    """Schemes (value None) and parameters of a header, in order.

    A scheme is at the beginning or after a comma. Other bare words are left out: some devices forget the quotes around
    a realm of several words, and its words are not schemes. Digest counts even if the comma before it is missing.
    """
    at, first, after_quoted = 0, True, False
    while at < len(header):
        at = _end(_SPACE, header, at)
        if header.startswith(",", at):
            at, first = at + 1, True
            continue
        end = _end(_TOKEN, header, at)
        if end == at:  # a stray quoted text or character
            stray = _QUOTED.match(header, at) or _STRAY.match(header, at)
            at, first = stray.end() if stray is not None else len(header), False
            continue
        name, after = header[at:end], _end(_SPACE, header, end)
        if not header.startswith("=", after):
            # A word with something attached ("Basic/1") is not a scheme.
            whole = after > end or after == len(header) or header[after] == ","
            if whole and (first or (after_quoted and name.lower() == "digest")):
                yield name, None
            at, first, after_quoted = after, False, False
            continue
        at, first = _end(_SPACE, header, after + 1), False
        quoted = _QUOTED.match(header, at)
        after_quoted = quoted is not None
        if quoted is not None:
            value, at = _ESCAPED.sub(r"\1", quoted[1]), quoted.end()
        else:
            end = _end(_BARE, header, at)
            value, at = header[at:end], end
        yield name, value


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found is not None else at


def _challenge(scheme: str, parameters: dict[str, str]) -> Challenge | None:
    if any(_CONTROL.search(value) for value in parameters.values()):
        return None  # it would be repeated in our own header
    realm = parameters.get("realm", "")
    if scheme == "basic":
        # With a nonce it is malformed Digest, such as a realm of several words without quotes.
        return Challenge("basic", realm) if parameters.keys() <= {"realm", "charset"} else None
    named = parameters.get("algorithm", "")
    algorithm = named.upper() or "MD5"
    session = algorithm.endswith("-SESS")
    algorithm = algorithm.removesuffix("-SESS")
    qops = {word.strip().lower() for word in parameters.get("qop", "").split(",") if word.strip()}
    unanswerable = scheme != "digest" or algorithm not in _HASHES or "nonce" not in parameters
    if unanswerable or (qops and "auth" not in qops):
        return None
    return Challenge(
        "digest",
        realm,
        parameters["nonce"],
        algorithm,
        session,
        bool(qops),
        parameters.get("opaque"),
        parameters.get("stale", "").lower() == "true",
        bool(named),
    )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
