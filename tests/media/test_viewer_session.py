"""Who must give way to one more viewer. Pure."""

import pytest

from camera_hub.errors import HubError, Kind
from camera_hub.media.wall.viewer_session import ViewerSession, in_the_way
from camera_hub.settings import MediaSettings
from tests.media.conftest import OPERATOR

LIMITS = MediaSettings(viewers_per_user=2, viewers=6)


def viewers(*pages: str | None) -> list[ViewerSession]:
    return [ViewerSession(f"v{number}", page, 0, OPERATOR) for number, page in enumerate(pages)]


def ended(page: str | None, own: list[ViewerSession], *, away: str = "", total: int | None = None) -> list[str]:
    gone = in_the_way(page, own, len(own) if total is None else total, LIMITS, lambda one: one == away)
    return [viewer.id for viewer in gone]


def test_a_page_counts_once_however_many_viewers_it_has() -> None:
    own = viewers("a", "a", "b", "b")
    assert ended("a", own) == []
    with pytest.raises(HubError, match="2 pages") as refused:
        ended("c", own)
    assert refused.value.kind is Kind.BUSY


def test_a_page_that_is_gone_gives_way_with_all_its_viewers() -> None:
    own = viewers("a", "b", "a", "b")
    assert ended("c", own, away="b") == ["v1", "v3"]
    assert ended("a", own, away="b") == [], "there is room"


def test_viewers_without_a_page_count_and_never_give_way() -> None:
    own = viewers(None, None)
    for page in ("a", None):
        with pytest.raises(HubError):
            ended(page, own, away="")


def test_the_hub_has_a_bound_of_its_own() -> None:
    with pytest.raises(HubError, match="as many viewers as it may"):
        ended("a", viewers("a"), total=6)
    assert ended("c", viewers("a", "b"), away="a", total=6) == ["v0"]
