"""The demo: virtual villages in a separate process, and a hub that finds, registers and watches them.

Everything happens the way a browser does it, over the HTTP API and WebRTC; only the set-up token is read directly. May
import `app` and `serving`, never a room; the simulator is a process, not an import. `webrtc` also imports aiortc (as a
client).
"""
