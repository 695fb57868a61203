"""The relay process: RTSP in, WebRTC and RTSP out, never decoding, never calling FFmpeg.

Owns the sockets to cameras, the one UDP port to browsers and the RTSP port to players. It does as the hub says over the
pipe (`messages`) and knows no database, no key and no HTTP. May import the ground floor only. The hub imports nothing
of it but `messages`.
"""
