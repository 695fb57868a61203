"""The demo: virtual villages in a process of their own and a hub that finds, registers and watches them.

Everything goes the way a person's browser goes, over the HTTP API and WebRTC; only the set-up token is taken directly.
May import `app` and `serving`, never a room; the simulator is a process, not an import. `webrtc` is the second home of
aiortc (as a client).
"""
