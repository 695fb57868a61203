"""What verifying finds, and what one link alone tells about itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from camera_hub.access.audit.links import Link, link_hash, mac

NEAR = 64
"""How far from its place a link is looked for when links were reordered."""


@dataclass(frozen=True, slots=True)
class AuditFault:
    """Something that was changed. `reason` is a stable code, `detail` the English sentence, `params` what pages insert.

    `sequence`: the link; `subject`: what it sealed.
    """

    reason: str
    detail: str
    sequence: int | None = None
    subject: str = ""
    params: Mapping[str, str | int | float | None] = field(default_factory=dict)


def link_fault(
    link: Link, expected: int, previous: str | None, copied: str | None, key: bytes | None, name: str = ""
) -> AuditFault | None:
    """What is wrong with a link by itself, as exactly as can be told.

    `name`: what people call what it has sealed; "": by its kind and subject.
    `expected`: the sequence of its place; `previous`: the hash of the link before, None where that is missing;
    `copied`: the digest of the copy of what it sealed; `key`: that of its keyed seal, None where that is not at hand.
    """
    name = name or f"{link.kind} {link.subject}"
    found = link_hash(link.sequence, link.at, link.kind, link.subject, link.digest, link.previous)
    proved = key is not None and link.mac == mac(key, link.hash)
    if found != link.hash:
        if key is not None and link.mac == mac(key, found):
            return _fault(link, name, "hash_changed", "its hash was changed", field="hash")
        if not proved:
            return _fault(link, name, "link_changed", "it was changed, or written by somebody else")
        if (moved_from := _true_place(link)) is not None:
            words = f"it stands in a wrong place: it was sealed as link {moved_from}, so links were reordered"
            return _fault(link, name, "link_moved", words, was=moved_from)
        changed = _changed_field(link, previous, copied)
        return _fault(link, name, "link_changed", f"its {changed} was changed", field=changed)
    if key is not None and not proved:
        return _fault(
            link,
            name,
            "link_forged",
            "this hub has not written it, or its keyed seal was changed: the key does not fit",
        )
    if previous is not None and link.previous != previous:
        return _fault(link, name, "link_unjoined", f"it does not follow link {expected - 1} as it is now")
    return None


def _true_place(link: Link) -> int | None:
    for place in range(max(1, link.sequence - NEAR), link.sequence + NEAR):
        if link_hash(place, link.at, link.kind, link.subject, link.digest, link.previous) == link.hash:
            return place
    return None


def _changed_field(link: Link, previous: str | None, copied: str | None) -> str:
    """The field that was changed, found by putting back what is known from elsewhere."""
    if copied is not None and _fits(replace(link, digest=copied)):
        return "digest"
    if previous is not None and _fits(replace(link, previous=previous)):
        return "previous"
    return "time, kind or subject"


def _fits(link: Link) -> bool:
    return link.hash == link_hash(link.sequence, link.at, link.kind, link.subject, link.digest, link.previous)


def _fault(link: Link, name: str, reason: str, words: str, **params: str | int) -> AuditFault:
    detail = f"link {link.sequence} ({name}): {words}"
    return AuditFault(reason, detail, link.sequence, link.subject, {"kind": link.kind, **params})
