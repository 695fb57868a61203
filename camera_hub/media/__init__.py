"""The hub's side of video: what is wanted, the relays and eyes that do it, and what became of it.

It owns which viewer shows which camera, which feeds run therefore, the life of relay and eye processes, and every look
(one key frame → picture and scores). It decodes nothing and touches no RTP packet. It may import cameras, access, store
and the ground floor, and of `relay` and `eye` only their messages.
"""
