"""RTSP with cameras, in the order of the data's way; `message` and `udp` serve `rtsp_server` as well.

- `connection`: one TCP or TLS connection: requests matched with answers, interleaved packets
- `message`: RTSP messages: parser with hard limits, serializer
- `client`: one session: DESCRIBE, SETUP, PLAY, TEARDOWN; login, transports, redirects
- `keep_alive`: how often, and by which method, a session is kept alive
- `video_sdp`, `audio_sdp`: which streams of the camera's SDP are set up
- `udp`: a pair of UDP ports for RTP and RTCP
"""
