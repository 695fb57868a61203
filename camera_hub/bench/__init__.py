"""`camera-hub bench`: what this machine can carry, compared with other servers, as JSON lines.

`relay` compares media servers at fan-out, `scale` searches for the limit of feeds × tracks, `view` measures real
browsers. Source, servers under test and clients are separate processes; `cli` is the command line, `lines` the output,
`meter` reads /proc. The light client (`viewer` in a `load` process) speaks real ICE, DTLS and SRTP but only counts.
"""
