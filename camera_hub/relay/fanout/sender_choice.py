"""Which way of sending a relay uses: batches, or the plain fallback by setting, environment or necessity."""

import asyncio
import logging
import os
from collections.abc import Mapping

from camera_hub.relay.fanout.batch_fanout import BatchFanout
from camera_hub.relay.fanout.gso import gso_works
from camera_hub.relay.fanout.interface import Fanout, SendSocket
from camera_hub.relay.fanout.plain import PlainFanout
from camera_hub.relay.fanout.sendmmsg import send_many
from camera_hub.relay.fanout.sendmmsg_probe import many_works
from camera_hub.relay.libraries import srtp_pointer_works

log = logging.getLogger(__name__)

ENVIRONMENT = "CAMERA_HUB_MEDIA__PLAIN_SENDING"
"""The setting media.plain_sending; read here too, for relays that no hub has configured by it (tests, bench)."""


def plain_reason(configured: bool, environ: Mapping[str, str] | None = None) -> str | None:
    """Why packets are sent one by one; None when they are sent in batches."""
    environ = os.environ if environ is None else environ
    if configured or environ.get(ENVIRONMENT, "").strip("\"' ").lower() in ("1", "true", "yes", "on"):
        return "the setting media.plain_sending says so"
    if not srtp_pointer_works():
        return "this pylibsrtp does not give access to libsrtp's sessions"
    if not many_works():
        return "this system has no working sendmmsg"
    return None


def make_fanout(socket: SendSocket, *, plain: bool) -> Fanout:
    """For one UDP socket; `plain`: by `plain_reason`."""
    many = None if plain else send_many(socket.socket)
    if many is None:
        return PlainFanout(socket)
    return BatchFanout(socket, many, lambda call: asyncio.get_running_loop().call_soon(call), gso=gso_works())
