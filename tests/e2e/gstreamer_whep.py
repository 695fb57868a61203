"""A foreign WHEP client: GStreamer's webrtcbin, run by the system's Python (which has its bindings).

/usr/bin/python3 tests/e2e/gstreamer_whep.py URL TOKEN FRAMES: plays that many frames, prints width × height, hangs up.
"""

import sys
import urllib.parse
import urllib.request

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402 (versions are required before the import)

DEADLINE = 30
CAPS = (
    "application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000,"
    "packetization-mode=(string)1,profile-level-id=(string)42e01f"
)


class Player:
    """One session, from the offer to the last frame wanted."""

    def __init__(self, url: str, token: str, frames: int) -> None:
        self.url, self.token, self.wanted = url, token, frames
        self.frames = 0
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
        self.webrtc.emit("add-transceiver", recvonly, Gst.Caps.from_string(CAPS))
        self.pipeline.set_state(Gst.State.PLAYING)
        GLib.timeout_add_seconds(DEADLINE, self.loop.quit)
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)
        if self.session:
            self.ask("DELETE", urllib.parse.urljoin(self.url, self.session))
        sys.stdout.write(f"{self.frames} {self.size}\n")
        return 0 if self.frames >= self.wanted else 1

    def on_negotiation(self, webrtc: Gst.Element) -> None:
        webrtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self.on_offer))

    def on_offer(self, promise: Gst.Promise) -> None:
        reply = promise.get_reply()  # what it holds dies with it
        offer = reply.get_value("offer")
        self.webrtc.emit("set-local-description", offer, Gst.Promise.new())
        answer, self.session = self.ask("POST", self.url, offer.sdp.as_text().encode())
        _, message = GstSdp.SDPMessage.new_from_text(answer)
        described = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.webrtc.emit("set-remote-description", described, Gst.Promise.new())

    def on_pad(self, webrtc: Gst.Element, pad: Gst.Pad) -> None:
        chain = Gst.parse_bin_from_description(
            "rtph264depay ! h264parse ! openh264dec ! fakesink name=eye sync=false signal-handoffs=true", True
        )
        chain.get_by_name("eye").connect("handoff", self.on_frame)
        self.pipeline.add(chain)
        chain.sync_state_with_parent()
        pad.link(chain.get_static_pad("sink"))

    def on_frame(self, eye: Gst.Element, buffer: Gst.Buffer, pad: Gst.Pad) -> None:
        self.frames += 1
        shape = pad.get_current_caps().get_structure(0)
        self.size = f"{shape.get_value('width')}x{shape.get_value('height')}"
        if self.frames == self.wanted:
            self.loop.quit()

    def ask(self, method: str, url: str, body: "bytes | None" = None) -> "tuple[str, str]":
        headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(url, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            return answer.read().decode(), answer.headers.get("Location", "")


Gst.init(None)
sys.exit(Player(sys.argv[1], sys.argv[2], int(sys.argv[3])).run())
