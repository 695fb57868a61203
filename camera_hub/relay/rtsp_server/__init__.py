"""RTSP out: the relay's feeds for foreign players (decoders of a wall screen, recorders, other platforms).

A player brings a token; the hub says whether it opens the camera, and which feed that is. There is no second pull and
no second packetizing: players are sent the frames that browsers are sent. In the order of the data's way:

- `server`: the listening port, limits of connections, all sessions
- `connection`: one player's TCP connection; reasons of its end
- `timeouts`: idle, blocked, incomplete, unauthorized players (pure)
- `player`: one player's session: authorization, description, set-up, end
- `request_handler`: RTSP methods and their answers
- `stream_url`: camera, quality and token in the URL; token as a login's password
- `transport_header`: which of the offered transports is used
- `player_authorization`: asks the hub over the pipe; hands out the feed
- `sdp_writer`: the SDP that a player is given
- `rtp_sender`: frames under the player's own sequence numbers, GOP cache first; queue, drops
- `transports`: interleaved in TCP, or paced UDP
"""
