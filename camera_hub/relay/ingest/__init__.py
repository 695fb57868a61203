"""From a camera's RTP packets to frames that are ready to send. In the order of the data's way (socket and RTSP before
it: `relay/rtsp/`; sending after it: `relay/fanout/`, `relay/peer/`, `relay/rtsp_server/`):

- `feed`: one running pull of a stream, shared by all who watch: open, pump packets, publish state, retry
- `feed_state`: which failures are final, what a lost link is, the sentences of states (pure)
- `admission`: admission control: how many sessions open at once per village and in total; watched feeds first
- `login_permits`: the hub's permit before each attempt with a login
- `rtp`: RTP header parser; wrap-around of counters
- `flood_guard`: ends the session of a camera that sends more than any camera does
- `receiver_report`: RTCP receiver reports to the camera
- `reorder_buffer`: UDP packets back in sequence order
- `depacketize`: RTP packets to access units: FU-A, STAP-A, FU, AP; fragment loss, missing markers
- `nal`, `codecs`: NAL unit types, SPS, B slices; one table each for H.264 and H.265
- `parameter_sets`: SPS, PPS and VPS of SDP and stream, put in front of each key frame
- `timestamps`: RTP timestamps to the hub's clock; jitter, jumps; timestamps of a replayed GOP
- `packetize`: access units to RTP payloads, once per feed, in runs for GSO
- `video_pipeline`: the above in a row, for one opened stream
- `frame`: a packetized frame, as it is passed on
- `key_frame_throttle`: which key frames the hub gets, for looks and stills
- `gop_cache`: frames since the last key frame, bounded in bytes and age, replayed to whoever starts watching
- `resend_history`: packets kept for resends (NACK), bounded
- `stream_timeouts`: no packets, no key frame: the session is ended
- `lateness`: a camera on TCP that falls behind: reported, reopened with growing intervals
- `audio`, `feed_audio`: audio packets; their set-up beside the video, never at its expense
"""
