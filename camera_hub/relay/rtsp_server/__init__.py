"""RTSP out: the relay's feeds for foreign players (decoders of a wall screen, recorders, other platforms).

A player brings a token; the hub says whether it may have the camera and which feed that is. No pull of its own, no
packet cut twice: frames come as they go to browsers. Imports of the relay only what is shared; no WebRTC, no database.
"""
