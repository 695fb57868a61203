"""From a camera to frames: RTSP session to feed, RTP to access units, access units to RTP packets ready to be sent."""
