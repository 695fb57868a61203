"""Which stream a tile gets on a link that does not bear what was wished, and what it says. Pure."""

import pytest

from camera_hub.media.interface import Quality, Role, TileWish
from camera_hub.media.wall.quality_adaptation import adapted, note, out_of_step
from camera_hub.media.wall.tile_state import TileSlot
from camera_hub.relay.messages import FeedSpec, LinkLevel, RtspLiveSource
from tests.media.conftest import FakeChosen

FULL, LIGHT, KEYS = LinkLevel.FULL, LinkLevel.LIGHT, LinkLevel.KEYS


def shown(wished: Quality, asked: Quality, role: Role, tried: tuple[int, ...] = ()) -> TileSlot:
    track = TileSlot(0)
    track.wish(TileWish("v", 0, 1, 1, wished))
    track.asked, track.tried = asked, set(tried)
    track.chosen = FakeChosen(
        11, 1, 1, 1, role, "h264", FeedSpec("s11", RtspLiveSource("rtsp://camera", "127.0.0.1", 554))
    )
    return track


def test_only_the_main_stream_gives_way() -> None:
    assert [adapted("main", level, rests=False) for level in LinkLevel] == ["main", "sub", "sub"]
    assert [adapted("main", level, rests=True) for level in LinkLevel] == ["sub"] * 3
    for rests in (False, True):
        assert [adapted("auto", level, rests=rests) for level in LinkLevel] == ["auto"] * 3
        assert [adapted("sub", level, rests=rests) for level in LinkLevel] == ["sub"] * 3


@pytest.mark.parametrize(
    ("track", "link", "rests", "out"),
    [
        (shown("main", "main", "main"), FULL, False, False),
        (shown("main", "main", "main"), LIGHT, False, True),
        (shown("main", "main", "main"), FULL, True, True),
        (shown("main", "sub", "sub"), KEYS, False, False),
        (shown("main", "sub", "sub"), FULL, True, False),
        (shown("main", "sub", "sub"), FULL, False, True),
        (shown("auto", "auto", "sub"), KEYS, True, False),
        (shown("main", "sub", "sub", tried=(10,)), FULL, False, False),  # the main stream cannot be shown anyway
        (shown("main", "main", "main", tried=(12,)), LIGHT, True, False),  # nor the sub stream
        (TileSlot(0), KEYS, True, False),
    ],
)
def test_a_track_is_moved_when_it_can_be(track: TileSlot, link: LinkLevel, rests: bool, out: bool) -> None:
    assert out_of_step(track, link, rests=rests) is out


@pytest.mark.parametrize(
    ("track", "weakness", "notes"),
    [
        (shown("main", "main", "main"), None, (None, "link_poor", "link_keys")),  # moving is under way
        (shown("main", "main", "main"), "late", ("late", "late", "link_keys")),
        (shown("main", "main", "main"), "lossy", ("lossy", "lossy", "link_keys")),
        (shown("main", "sub", "sub"), None, ("late_sub", "link_sub", "link_keys")),
        (shown("main", "sub", "sub"), "late", ("late", "late", "link_keys")),
        (shown("main", "sub", "main"), None, (None, "link_poor", "link_keys")),  # a camera without a sub stream
        (shown("auto", "auto", "sub"), None, (None, "link_poor", "link_keys")),
        (shown("main", "sub", "sub", tried=(10,)), None, (None, "link_poor", "link_keys")),
    ],
)
def test_a_tile_says_what_is_done(track: TileSlot, weakness: str | None, notes: tuple[str | None, ...]) -> None:
    assert tuple(note(track, level, weakness=weakness) for level in LinkLevel) == notes
