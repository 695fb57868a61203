"""`camera-hub bench`: what this machine can carry, and what others make of the same stream, as JSON lines.

`relay` compares media servers at fan-out, `scale` looks for the limit of feeds × tracks, `view` measures real browsers.
Source, servers under test and clients are processes of their own; `cli` is the way in, `lines` the way out, `meter`
reads /proc. The light client (`viewer` in a `load` process) speaks real ICE, DTLS and SRTP but only counts.
"""
