"""The brake on guessing stream tokens, on a clock of its own."""

import pytest

from camera_hub.errors import HubError
from camera_hub.media.rtsp_out.token_guesses import ALLOWED, MAX_ADDRESSES, SECONDS_EACH, TokenGuesses
from tests.fakes.clock import ManualClock


def refused(guesses: TokenGuesses, address: str) -> float | None:
    """Seconds to wait, None: not refused."""
    try:
        guesses.wrong(address)
    except HubError as error:
        return float(error.params["retry_in"])
    return None


def test_so_many_at_once_and_one_more_each_three_seconds(clock: ManualClock) -> None:
    guesses = TokenGuesses(clock.monotonic)
    assert [refused(guesses, "10.0.0.1") for _ in range(ALLOWED)] == [None] * ALLOWED
    assert refused(guesses, "10.0.0.1") == pytest.approx(SECONDS_EACH)
    assert refused(guesses, "10.0.0.1") == pytest.approx(SECONDS_EACH), "a refusal adds nothing"
    assert refused(guesses, "10.0.0.2") is None, "another address"
    clock.move(SECONDS_EACH)
    assert refused(guesses, "10.0.0.1") is None
    assert refused(guesses, "10.0.0.1") is not None
    clock.move(ALLOWED * SECONDS_EACH)
    assert [refused(guesses, "10.0.0.1") for _ in range(ALLOWED)] == [None] * ALLOWED


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "", True),
    ],
)
def test_an_address_counts_with_its_network(clock: ManualClock, one: str, other: str, same: bool) -> None:
    guesses = TokenGuesses(clock.monotonic)
    for _ in range(ALLOWED):
        guesses.wrong(one)
    assert (refused(guesses, other) is not None) == same


def test_what_it_keeps_is_bounded(clock: ManualClock) -> None:
    guesses = TokenGuesses(clock.monotonic)
    for number in range(MAX_ADDRESSES + 100):
        guesses.wrong(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(guesses._forgotten_at) == MAX_ADDRESSES
