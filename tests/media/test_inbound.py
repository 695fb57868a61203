"""Messages of relays reach whom they concern; what cannot be read is counted, and nothing else happens."""

from typing import Any

from camera_hub.media.feeds.desired_state import FeedKey
from camera_hub.media.relays.inbound import InboundMessages
from camera_hub.media.relays.link import RelayLink
from camera_hub.wire import PipeFrame


class Everybody:
    """Feeds, tiles, audio, viewers, players and logins in one; keeps who was called with what."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.calls.append((name, arguments))


class Process:
    id = 7

    def post(self, type_: str, values: dict[str, Any]) -> None:
        raise AssertionError("nothing is answered here")


def room() -> tuple[Everybody, InboundMessages, RelayLink]:
    all_ = Everybody()
    started = [lambda number: all_.calls.append(("first", (number,)))]
    return all_, InboundMessages(started, all_, all_, all_, all_, all_, all_), RelayLink(0)


MESSAGES: dict[str, tuple[dict[str, Any], str]] = {
    "feed.state": ({"feed": "s1", "phase": "live"}, "on_feed_state"),
    "track.state": ({"viewer": "v", "track": 0, "serial": 1, "phase": "live"}, "on_track_state"),
    "audio.state": ({"viewer": "v", "serial": 1, "phase": "empty"}, "on_audio_state"),
    "viewer.link": ({"viewer": "v", "level": "light"}, "on_link_state"),
    "key_frame": ({"feed": "s1", "codec": "h264", "received_at": 1.0}, "on_key_frame"),
    "sync.wanted": ({"feed": "s1"}, "on_sync_wanted"),
    "feed.learnt": ({"feed": "s1", "kind": "rtsp_cseq", "value": "wrong"}, "on_feed_learnt"),
    "viewer.state": ({"viewer": "v", "state": "closed", "reason": "gone"}, "on_viewer_closed"),
    "rtsp.ended": ({"session": "p", "reason": "closed"}, "on_player_ended"),
    "rtsp.ask": ({}, "on_player_request"),
}


def test_each_message_reaches_whom_it_concerns() -> None:
    for type_, (head, handler) in MESSAGES.items():
        all_, inbound, link = room()
        inbound.on_relay_message(link, PipeFrame({"type": type_, **head}))
        assert [name for name, _ in all_.calls] == [handler], type_
        assert inbound.unreadable == 0


def test_what_cannot_be_read_is_counted_and_dropped() -> None:
    all_, inbound, link = room()
    broken = [{**head, next(iter(head)): ["?"]} for head, _ in MESSAGES.values() if head]
    types = [type_ for type_, (head, _) in MESSAGES.items() if head]
    for type_, head in zip([*types, "no.such"], [*broken, {}], strict=True):
        inbound.on_relay_message(link, PipeFrame({"type": type_, **head}))
    inbound.on_login_message(link, Process(), PipeFrame({"type": "login.ask", "feed": 7}))
    assert all_.calls == []
    assert inbound.unreadable == len(types) + 2


def test_logins_go_by_process_and_a_new_process_comes_first_of_all() -> None:
    all_, inbound, link = room()
    process = Process()
    inbound.on_login_message(link, process, PipeFrame({"type": "login.ask", "feed": "s1", "turn": 3}))
    inbound.on_process_ended(process)
    link.epoch = 2
    inbound.on_relay_started(link)
    assert [call for call in all_.calls if call[0] != "on_login_request"] == [
        ("on_process_ended", (7,)),
        ("first", (0,)),
        ("on_relay_replaced", (0, 2)),
    ]
    assert ("on_login_request", (process, FeedKey(0, "s1"), 3)) in all_.calls
