"""One link of the audit chain, as pure functions of its values.

hash = SHA-256 of the canonical JSON of [version, sequence, at, kind, subject, digest, previous]: an array, so that no
two links with different values have the same text. mac = HMAC-SHA-256 of the hash, with a key that the vault opens.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime

GENESIS = "0" * 64
"""What the first link names as the hash before it."""

VERSION = "camera-hub-audit-1"


@dataclass(frozen=True, slots=True)
class Link:
    """One link. `sequence` counts from 1 without gaps; `kind` is what happened, `subject` to what ("run:17"); `digest`
    is that of what was sealed; `previous` the hash of the link before; `key` the number of the key of `mac`. Digests
    and hashes are 64 hexadecimal digits."""

    sequence: int
    at: datetime
    kind: str
    subject: str
    digest: str
    previous: str
    hash: str
    key: int
    mac: str


def digest(content: bytes) -> str:
    """The SHA-256 of what is sealed."""
    return hashlib.sha256(content).hexdigest()


def link_hash(sequence: int, at: datetime, kind: str, subject: str, digest: str, previous: str) -> str:
    """The hash of a link with these values."""
    values = [VERSION, sequence, moment(at), kind, subject, digest, previous]
    # Of texts and whole numbers this is the canonical form, and a chain may have millions of links. Anything else was
    # put there by somebody (SQLite stores any value in any column), and fits no hash.
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def mac(key: bytes, hash: str) -> str:
    """The keyed seal of a link's hash."""
    return hmac.digest(key, f"link {hash}".encode(), "sha256").hex()


def anchor_mac(key: bytes, sequence: int, hash: str) -> str:
    """The keyed seal of an anchor: another one than that of the link that it names."""
    return hmac.digest(key, f"anchor {sequence} {hash}".encode(), "sha256").hex()


def next_link(
    key_id: int, key: bytes, previous: tuple[int, str] | None, at: datetime, kind: str, subject: str, digest: str
) -> Link:
    """The link that follows `previous` (its sequence and hash; None: the first link)."""
    sequence, before = (0, GENESIS) if previous is None else previous
    hashed = link_hash(sequence + 1, at, kind, subject, digest, before)
    return Link(sequence + 1, at, kind, subject, digest, before, hashed, key_id, mac(key, hashed))


def moment(at: datetime) -> str:
    """A time as it is hashed: UTC with microseconds, 2026-01-31T23:59:59.000000Z."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
