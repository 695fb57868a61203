"""Finding devices: WS-Discovery by multicast, and address ranges probed one host at a time."""
