"""The field cases that `bench cases` shows: each a fault of a simulated camera, and whether its picture must play."""

from collections.abc import Sequence
from dataclasses import dataclass

from camera_hub.errors import HubError, Kind


@dataclass(frozen=True, slots=True)
class Case:
    """A name, the faults with their values (None: the default), whether pictures are to be had from such a camera.

    `key_frames`: whom the camera gives a key frame at once, where that is not the first who opens the stream.
    """

    name: str
    faults: tuple[tuple[str, float | None], ...]
    plays: bool = True
    key_frames: str | None = None


CASES = (
    Case("well", ()),
    Case("01 cseq 0", (("cseq_zero", None),)),
    Case("01 cseq before", (("cseq_before", None),)),
    Case("01 no cseq", (("cseq_missing", None),)),
    Case("02 blank line", (("blank_header_line", None),)),
    Case("03 stray bytes", (("stray_bytes", 30),)),
    Case("04 slash", (("play_refuses_slash", None),)),
    Case("04 session url", (("play_session_url", None),)),
    Case("05 options: 400", (("options_first", 400),)),
    Case("05 options: silence", (("options_first", 0),)),
    Case("05 options: closed", (("options_first", -1),)),
    Case("06 unlisted", (("keep_alive_unlisted", 30),)),
    Case("06 options alone", (("keep_alive_options", 30),)),
    Case("06 rtcp alone", (("keep_alive_rtcp", 30),)),
    Case("P5 get_parameter", (("keep_alive_get_parameter", 30),)),
    Case("07 new nonce", (("new_nonce", 10),)),
    Case("08 realm", (("realm_with_basic", None),)),
    Case("09 bare sdp", (("sdp_bare", None),)),
    Case("10 two types", (("sdp_two_types", None),)),
    Case("11 content-base", (("content_base_odd", None),)),
    Case("13 each tenth", (("foreign_payload", 10),)),
    Case("13 each frame", (("foreign_payload", 0),)),
    Case("14 empty", (("empty_packets", None),)),
    Case("15 ssrc", (("ssrc_restarts", None),)),
    Case("15 sequence", (("sequence_restarts", None),)),
    Case("17 joined", (("joined_key_frame", None),)),
    Case("18 standing", (("standing_clock", None),)),
    Case("18 standing, no marker", (("standing_clock", None), ("no_marker", None))),
    Case("18 pairs", (("paired_timestamps", None),)),
    Case("20 intra refresh", (("intra_refresh", 30),)),
    Case("13 15 over udp", (("tcp_refused", None), ("foreign_payload", 10), ("ssrc_restarts", None))),
    Case(
        "13 14 17 18 at once",
        (("foreign_payload", 10), ("empty_packets", None), ("joined_key_frame", None), ("standing_clock", None)),
    ),
    Case("20 joined in the middle", (("intra_refresh", 30),), key_frames="wait"),
    Case("P8 multicast", (("multicast_only", None),), plays=False),
    Case("P8 tls port", (("tls_port", None),), plays=False),
    Case("P8 web server", (("web_server", None),), plays=False),
    Case("P8 codec unnamed", (("codec_unnamed", None),), plays=False),
)
CASE_VIEWERS = ("rtsp", "webrtc")
TILES = 16
"""Tiles of one wall."""


@dataclass(frozen=True, slots=True)
class CasesPlan:
    """Which cases, `at_once` of them side by side, for how many seconds after warming up, and who decodes them."""

    cases: tuple[Case, ...] = CASES
    seconds: float = 20.0
    warm_up: float = 12.0
    viewers: tuple[str, ...] = CASE_VIEWERS
    share: float = 0.97
    at_once: int = 8
    h265: bool = False


def chosen(words: Sequence[str]) -> tuple[Case, ...]:
    """The cases whose name begins with one of the words; all, without words. Raises HubError(INVALID)."""
    if not words:
        return CASES
    found = tuple(case for case in CASES if case.name.startswith(tuple(words)))
    if not found:
        raise HubError(Kind.INVALID, f"no case begins so; there are: {', '.join(case.name for case in CASES)}")
    return found


@dataclass(frozen=True, slots=True)
class Count:
    """One moment's counters of one case: pictures that the camera sent, that the hub's feed had, that were decoded.

    `opens`: how often the feed was opened; `in_clear`: requests that bore the password in clear text, since ever.
    """

    sent: int = 0
    delivered: int = 0
    opens: int = 0
    decoded: tuple[int, ...] = ()
    in_clear: int = 0

    def since(self, before: "Count") -> "Count":
        """What came after `before`; an absent counter before counts as nothing."""
        earlier = (*before.decoded, *(0 for _ in self.decoded[len(before.decoded) :]))
        decoded = tuple(now - then for now, then in zip(self.decoded, earlier, strict=True))
        opens = self.opens - before.opens
        return Count(self.sent - before.sent, self.delivered - before.delivered, opens, decoded, self.in_clear)


def met(case: Case, got: Count, share: float, reason: str | None) -> bool:
    """Whether every decoder showed that share of what the camera sent; or there is a reason why none can.

    One interruption is forgiven: what a camera wants is learnt by it.
    """
    if got.in_clear:
        return False
    if not case.plays:
        return bool(reason)
    if got.opens > 1:
        return False
    return got.sent > 0 and all(decoded >= share * got.sent for decoded in got.decoded)
