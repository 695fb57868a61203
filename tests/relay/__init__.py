"""The relay, tried against real peers in this process: an RTSP camera, an aiortc client, Chromium."""
