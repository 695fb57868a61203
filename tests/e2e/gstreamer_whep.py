"""A foreign WHEP client: GStreamer's webrtcbin, run by the system's Python (which has its bindings).

/usr/bin/python3 tests/e2e/gstreamer_whep.py URL [--bearer TOKEN] [--audio] [--stay] FRAMES: plays that many frames,
prints frames, width × height and packets of sound, and hangs up. With --stay it plays on until standard input is closed
and then nothing has come for four seconds, and prints when the last frame came (Unix time).
"""

import argparse
import os
import select
import sys
import time
import urllib.parse
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402 (versions are required before the import)

DEADLINE = 300
SILENCE = 4.0
VIDEO = (
    "application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000,"
    "packetization-mode=(string)1,profile-level-id=(string)42e01f"
)
AUDIO = "application/x-rtp,media=audio,encoding-name=PCMA,payload=8,clock-rate=8000"
EYE = "rtph264depay ! h264parse ! openh264dec ! fakesink name=eye sync=false signal-handoffs=true"
EAR = "fakesink name=ear sync=false signal-handoffs=true"


class Player:
    """One session, from the offer to the last frame wanted, or to the last one that comes."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.frames = self.sounds = 0
        self.seen_at = 0.0
        self.last_orders = False
        self.size = ""
        self.session = ""
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.Pipeline.new("whep")
        self.webrtc = Gst.ElementFactory.make("webrtcbin", "webrtc")
        self.webrtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.pipeline.add(self.webrtc)
        self.webrtc.connect("pad-added", self.on_pad)
        self.webrtc.connect("on-negotiation-needed", self.on_negotiation)

    def run(self) -> int:
        recvonly = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
        if self.arguments.audio:
            self.webrtc.emit("add-transceiver", recvonly, Gst.Caps.from_string(AUDIO))
        self.webrtc.emit("add-transceiver", recvonly, Gst.Caps.from_string(VIDEO))
        self.pipeline.set_state(Gst.State.PLAYING)
        GLib.timeout_add_seconds(DEADLINE, self.loop.quit)
        self.loop.run()
        enough = self.frames >= self.arguments.frames
        if enough and self.arguments.stay:
            say(f"ended {self.seen_at}")
        self.pipeline.set_state(Gst.State.NULL)
        if self.session and not self.arguments.stay:
            self.ask("DELETE", urllib.parse.urljoin(self.arguments.url, self.session))
        return 0 if enough else 1

    def on_negotiation(self, webrtc: Gst.Element) -> None:
        webrtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self.on_offer))

    def on_offer(self, promise: Gst.Promise) -> None:
        reply = promise.get_reply()  # what it holds dies with it
        offer = reply.get_value("offer")
        self.webrtc.emit("set-local-description", offer, Gst.Promise.new())
        answer, self.session = self.ask("POST", self.arguments.url, offer.sdp.as_text().encode())
        _, message = GstSdp.SDPMessage.new_from_text(answer)
        described = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.webrtc.emit("set-remote-description", described, Gst.Promise.new())

    def on_pad(self, webrtc: Gst.Element, pad: Gst.Pad) -> None:
        is_video = pad.get_current_caps().get_structure(0).get_value("media") == "video"
        chain = Gst.parse_bin_from_description(EYE if is_video else EAR, True)
        sink = chain.get_by_name("eye" if is_video else "ear")
        sink.connect("handoff", self.on_frame if is_video else self.on_sound)
        self.pipeline.add(chain)
        chain.sync_state_with_parent()
        pad.link(chain.get_static_pad("sink"))

    def on_sound(self, ear: Gst.Element, buffer: Gst.Buffer, pad: Gst.Pad) -> None:
        self.sounds += 1

    def on_frame(self, eye: Gst.Element, buffer: Gst.Buffer, pad: Gst.Pad) -> None:
        self.frames += 1
        self.seen_at = time.time()
        shape = pad.get_current_caps().get_structure(0)
        self.size = f"{shape.get_value('width')}x{shape.get_value('height')}"
        if self.frames == self.arguments.frames:
            say(f"{self.frames} {self.size} {self.sounds}")
            if self.arguments.stay:
                GLib.timeout_add(200, self.look)
            else:
                self.loop.quit()

    def look(self) -> bool:
        if not self.last_orders:
            readable, _, _ = select.select([sys.stdin], [], [], 0)
            self.last_orders = bool(readable) and not os.read(sys.stdin.fileno(), 1)
        elif time.time() - self.seen_at > SILENCE:
            self.loop.quit()
        return True

    def ask(self, method: str, url: str, body: "bytes | None" = None) -> "tuple[str, str]":
        headers = {"Content-Type": "application/sdp"}
        if self.arguments.bearer:
            headers["Authorization"] = f"Bearer {self.arguments.bearer}"
        request = urllib.request.Request(url, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            return answer.read().decode(), answer.headers.get("Location", "")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


parser = argparse.ArgumentParser()
parser.add_argument("url")
parser.add_argument("frames", type=int)
parser.add_argument("--bearer", default="")
parser.add_argument("--audio", action="store_true")
parser.add_argument("--stay", action="store_true")
Gst.init(None)
sys.exit(Player(parser.parse_args()).run())
