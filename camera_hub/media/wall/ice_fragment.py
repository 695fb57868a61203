"""What a WHEP player may change of its ICE session afterwards (RFC 9725, 4.3; fragments: RFC 8840, 9). Pure.

The hub is ICE-lite and answers checks from wherever they come, so a player's candidates are accepted and not needed;
an ICE restart, which would need credentials of ours for a second time, is not supported.
"""

import re
from enum import StrEnum

_UFRAG = re.compile(r"^a=ice-ufrag:(\S{1,256})[ \t]*\r?$", re.MULTILINE)
_TAG = re.compile(r'"[^"]*"')


class Refusal(StrEnum):
    """Why a fragment is not accepted; the API has a status for each."""

    TAG_MISSING = "if_match_missing"
    TAG_STALE = "if_match_stale"
    NOT_A_FRAGMENT = "bad_fragment"
    RESTART = "ice_restart_unsupported"


def user_fragments(sdp: str) -> frozenset[str]:
    """The ICE user fragments in an offer, or in a fragment of one."""
    return frozenset(_UFRAG.findall(sdp))


def judge_fragment(fragment: str, if_match: str, *, tag: str, offered: frozenset[str]) -> Refusal | None:
    """Why the fragment is refused, None when it is accepted. `tag`: of the ICE session that there is, which has the
    user fragments `offered`."""
    if not if_match:
        return Refusal.TAG_MISSING
    if if_match.strip() != "*" and f'"{tag}"' not in _TAG.findall(if_match):
        return Refusal.TAG_STALE
    named = user_fragments(fragment)
    if not named:
        return Refusal.NOT_A_FRAGMENT
    return None if named <= offered else Refusal.RESTART
