"""`python -m tests.media.fake_relay --fd N`: a relay's side of the pipe without any media.

It answers as the contract says. What a feed does stands in its URL: rtsp://…/live, /failed/<reason>, /silent (no
answer), /mute (no key frame), /h265, /b_frames. Where sound is asked for, a path's second part
says what it is (/live/none).
Further messages are for tests alone: `fake.heard` answers all that was heard, `fake.say` makes it say the given frames,
`fake.ask` makes it ask the hub and answers what it was answered, `fake.hang` makes it stop answering, `fake.grow`
makes it say that it holds so many `rss_bytes`, `fake.babble` makes it answer pulses with nonsense.
"""

import argparse
import asyncio
import os
import socket
import time
from typing import Any

from camera_hub.errors import HubError, Kind
from camera_hub.wire import Pipe, PipeFrame

KEY_FRAME = b"\x00\x00\x00\x01key"


class FakeRelay:
    """State of the fake: what it heard, which feeds run, what is shown."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._heard: list[dict[str, Any]] = []
        self._feeds: dict[str, str] = {}
        self._asked: dict[int, str] = {}
        self._shown: dict[tuple[str, int], dict[str, Any]] = {}
        self._rss = 50_000_000
        self._hangs = False
        self._babbles = False
        self._asking: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        while (frame := await self._pipe.receive()) is not None:
            if self._hangs:
                continue
            if not frame.type.startswith("fake."):
                self._heard.append({key: value for key, value in frame.head.items() if key != "id"})
            handler = getattr(self, "on_" + frame.type.replace(".", "_"))
            await handler(frame)

    async def on_configure(self, frame: PipeFrame) -> None:
        await self._pipe.reply(frame, {"udp_port": frame.head["udp_port"] or 45678, "gso": False})

    async def on_port_open(self, frame: PipeFrame) -> None:
        await self._pipe.reply(frame, {"udp_port": 45678})

    async def on_port_close(self, frame: PipeFrame) -> None:
        await self._pipe.reply(frame, {})

    async def on_pulse(self, frame: PipeFrame) -> None:
        await self._pipe.reply(frame, self._vitals())

    async def on_fake_babble(self, frame: PipeFrame) -> None:
        self._babbles = True

    def _vitals(self) -> dict[str, Any]:
        if self._babbles:
            return {"rss_bytes": "a lot", "loop_lag_p50": None}
        return {"rss_bytes": self._rss, "loop_lag_p50": 0.0001, "loop_lag_max": 0.0002}

    async def on_fake_grow(self, frame: PipeFrame) -> None:
        self._rss = frame.head["rss_bytes"]

    async def on_figures(self, frame: PipeFrame) -> None:
        await self._pipe.reply(frame, {"relay": {"pid": os.getpid(), **self._vitals()}, "feeds": {}, "viewers": {}})

    async def on_feed_open(self, frame: PipeFrame) -> None:
        feed, behaviour = frame.head["feed"], frame.head["source"]["url"].split("/", 3)[3].split("/")
        self._feeds[feed] = behaviour[0]
        self._state(feed, "connecting")
        match behaviour:
            case ["failed", "wrong_password"]:
                self._pipe.post({"type": "login.ask", "feed": feed, "turn": len(self._heard)})
                self._asked[len(self._heard)] = feed
            case ["failed", reason]:
                self._state(feed, "failed", reason=reason, detail="as told")
            case ["silent"]:
                pass
            case ["mute"]:
                self._state(feed, "waiting_key", codec="h264", signalling_ms=5.0, stream_ms=6.0)
            case [codec, *rest]:
                about = {"codec": "h265" if codec == "h265" else "h264", "width": 64, "height": 48}
                if frame.head["audio"]:
                    about |= {"audio": rest[0] if rest else "plays", "audio_codec": "pcma"}
                self._state(feed, "live", **about, signalling_ms=5.0, stream_ms=6.0, key_frame_ms=7.0)
                if codec == "b_frames":
                    self._state(feed, "live", **about, reason="b_frames", key_frame_ms=7.0)
        for head in self._shown.values():
            if head["feed"] == feed:
                self._say_shown(head)

    async def on_login_may(self, frame: PipeFrame) -> None:
        turn = frame.head["turn"]
        self._pipe.post({"type": "login.said", "turn": turn, "outcome": "refused", "reason": "wrong_password"})
        reason = frame.head["reason"] or "wrong_password"
        self._state(self._asked.pop(turn), "failed", reason=reason, detail="as told", final=True)

    async def on_feed_close(self, frame: PipeFrame) -> None:
        self._feeds.pop(frame.head["feed"], None)

    async def on_feed_keys(self, frame: PipeFrame) -> None:
        feed = frame.head["feed"]
        behaviour = self._feeds.get(feed)
        if frame.head["every"] is not None and behaviour in ("live", "h265", "b_frames"):
            codec = "h265" if behaviour == "h265" else "h264"
            self._pipe.post({"type": "key_frame", "feed": feed, "codec": codec, "received_at": time.time()}, KEY_FRAME)

    async def on_viewer_offer(self, frame: PipeFrame) -> None:
        if frame.head["sdp"] == "broken":
            await self._pipe.refuse(frame, HubError(Kind.INVALID, "this is no offer", reason="bad_offer"))
            return
        codecs = ["h264", "h265"] if frame.head["sdp"] == "h265 too" else ["h264"]
        takes_audio = frame.head["audio"] and "m=audio" in frame.head["sdp"]
        tracks = frame.head.get("tracks") or 16
        if "m=audio" in frame.head["sdp"] and "m=video" not in frame.head["sdp"]:
            tracks, codecs = 0, []
        answer = {"sdp": "answer", "tracks": tracks, "codecs": codecs, "audio": takes_audio}
        await self._pipe.reply(frame, answer)

    async def on_viewer_close(self, frame: PipeFrame) -> None:
        self._pipe.post({"type": "viewer.state", "viewer": frame.head["viewer"], "state": "closed", "reason": "closed"})

    async def on_track_show(self, frame: PipeFrame) -> None:
        head = frame.head
        self._shown[head["viewer"], head["track"]] = head
        self._say_shown(head)

    def _say_shown(self, head: dict[str, Any]) -> None:
        behaviour = self._feeds.get(head["feed"] or "")
        phase = "empty" if head["feed"] is None else "live" if behaviour == "live" else "waiting"
        names = ("viewer", "track", "serial", "feed")
        self._pipe.post({"type": "track.state", "phase": phase, **{name: head[name] for name in names}})

    async def on_audio_listen(self, frame: PipeFrame) -> None:
        phase = "empty" if frame.head["feed"] is None else "live"
        names = ("viewer", "serial", "feed")
        self._pipe.post({"type": "audio.state", "phase": phase, **{name: frame.head[name] for name in names}})

    async def on_rtsp_listen(self, frame: PipeFrame) -> None:
        await self._pipe.reply(frame, {"port": 8554 if frame.head["listen"] else None, "detail": ""})

    async def on_rtsp_end(self, frame: PipeFrame) -> None:
        self._pipe.post({"type": "rtsp.ended", "session": frame.head["session"], "reason": frame.head["reason"]})

    async def on_fake_ask(self, frame: PipeFrame) -> None:
        self._asking.add(asyncio.create_task(self._ask(frame)))

    async def _ask(self, frame: PipeFrame) -> None:
        try:
            answer = (await self._pipe.call(frame.head["ask"])).head
        except HubError as error:
            answer = error.body()
        await self._pipe.reply(frame, {"answer": answer})

    async def on_fake_heard(self, frame: PipeFrame) -> None:
        await self._pipe.reply(frame, {"heard": self._heard})

    async def on_fake_say(self, frame: PipeFrame) -> None:
        for head in frame.head["frames"]:
            self._pipe.post(head, head.pop("body", "").encode())
        await self._pipe.reply(frame, {})

    async def on_fake_hang(self, frame: PipeFrame) -> None:
        self._hangs = True

    def _state(self, feed: str, phase: str, **values: Any) -> None:
        self._pipe.post({"type": "feed.state", "feed": feed, "phase": phase, **values})


async def serve(descriptor: int) -> None:
    """Speak over the socket until the hub closes it."""
    pipe = Pipe(*await asyncio.open_connection(sock=socket.socket(fileno=descriptor)))
    try:
        await FakeRelay(pipe).serve()
    finally:
        await pipe.close()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--fd", type=int, required=True)
    asyncio.run(serve(arguments.parse_args().fd))
