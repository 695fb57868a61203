"""Pages: outboxes that stay small, and how long a page may be away."""

from camera_hub.media.interface import PageMessage, RelayReplaced, TileStatus, ViewerEnded
from camera_hub.media.wall.pages import OpenPages, PageOutbox


async def drained(outbox: PageOutbox, count: int) -> list[PageMessage]:
    came: list[PageMessage] = []
    async for news in outbox:
        came.append(news)
        if len(came) == count:
            break
    return came


async def test_a_newer_tile_takes_the_place_of_an_older_one() -> None:
    outbox = PageOutbox()
    for serial in range(1000):
        outbox.put(TileStatus("v", 0, serial, 1, "connecting"))
    outbox.put(TileStatus("v", 1, 0, 1, "live"))
    outbox.put(RelayReplaced(0, 2))
    assert await drained(outbox, 3) == [
        TileStatus("v", 0, 999, 1, "connecting"),
        TileStatus("v", 1, 0, 1, "live"),
        RelayReplaced(0, 2),
    ]
    assert outbox.dropped == 0


async def test_an_outbox_is_bounded_and_counts_what_it_drops() -> None:
    outbox = PageOutbox()
    for number in range(300):
        outbox.put(ViewerEnded(f"v{number}", "closed"))
    assert outbox.dropped == 44
    assert await drained(outbox, 1) == [ViewerEnded("v44", "closed")]


async def test_a_closed_outbox_ends_its_iteration() -> None:
    outbox = PageOutbox()
    outbox.put(RelayReplaced(0, 1))
    outbox.close()
    assert [news async for news in outbox] == []


def test_a_page_that_comes_back_in_time_is_not_lost() -> None:
    pages = OpenPages(patience=15.0)
    first = pages.open("page", 1)
    pages.leave("page", first, 100.0)
    assert pages.lost(114.0) == []
    second = pages.open("page", 1)
    assert pages.lost(1000.0) == []
    pages.leave("page", first, 1000.0)
    assert not pages.away("page"), "the end of a replaced connection changes nothing"
    pages.leave("page", second, 1000.0)
    assert pages.lost(1015.1) == ["page"]
    assert pages.lost(2000.0) == []


def test_a_page_that_offers_and_never_connects_is_lost_too() -> None:
    pages = OpenPages(patience=15.0)
    pages.expect("page", 1, 0.0)
    pages.expect("page", 1, 10.0)
    assert pages.lost(15.1) == ["page"]


def test_another_user_on_the_same_page_ends_the_earlier_connection() -> None:
    pages = OpenPages()
    first = pages.open("page", 1)
    second = pages.open("page", 2)
    assert first.closed
    assert not second.closed
    assert not pages.belongs("page", 1)
    assert len(pages) == 1
