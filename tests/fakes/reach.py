"""Devices of tests are on loopback, as those of the demo are."""

from camera_hub.cameras.reach import ReachPolicy, checking

LOCAL = ReachPolicy(local_devices=True)


def local() -> ReachPolicy:
    """The policy of a hub whose devices may be on this machine."""
    return LOCAL


anywhere = checking(None, local)
"""A check that allows this machine too."""
