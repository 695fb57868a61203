"""Reading what pull points deliver (WS-BaseNotification with ONVIF's messages). Pure, and bounded like every answer.

What a message carries is read only where its topic is wanted: analytics report faces, plates and people, which the hub
does not look at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from lxml import etree

from camera_hub.cameras.onvif.envelopes import attribute, child, children, text_of

MAX_MESSAGES = 256
"""Of one answer; more is a flood."""
_MAX_ITEMS = 16
_MAX_TEXT = 128
_MAX_TOPIC = 256

Items = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Notification:
    """One event. `topic`: its segments in lower case, without prefixes. `operation`: initialized, changed, deleted, "".

    `source` says where, `data` what; both are (name, value) as the device writes them, shortened.
    """

    topic: tuple[str, ...]
    operation: str = ""
    source: Items = ()
    data: Items = ()


@dataclass(frozen=True, slots=True)
class Pulled:
    """What one pull brought. `unread`: messages of other topics; `dropped`: those beyond the limit."""

    notifications: tuple[Notification, ...] = ()
    unread: int = 0
    dropped: int = 0

    @property
    def messages(self) -> int:
        return len(self.notifications) + self.unread + self.dropped


def topic_of(text: str) -> tuple[str, ...]:
    """The segments of a topic expression: "tns1:VideoSource/MotionAlarm" → ("videosource", "motionalarm").

    Prefixes, case, doubled slashes and blanks differ among firmwares and do not count. Empty for what is no topic.
    """
    if len(text) > _MAX_TOPIC:
        return ()
    segments = (one.rpartition(":")[2].strip().lower() for one in text.split("/"))
    return tuple(one for one in segments if one)


def pulled(answer: etree._Element | None, wanted: Callable[[tuple[str, ...]], bool]) -> Pulled:
    """The notifications in a PullMessagesResponse whose topic is wanted."""
    nodes = list(children(answer, "NotificationMessage"))
    found: list[Notification] = []
    unread = 0
    for node in nodes[:MAX_MESSAGES]:
        topic = topic_of(text_of(node, "Topic"))
        if not topic or not wanted(topic):
            unread += 1
            continue
        outer = child(node, "Message")
        message = child(outer, "Message")
        if message is None:  # some leave the wrapper out
            message = outer
        operation = attribute(message, "PropertyOperation").lower() if message is not None else ""
        found.append(Notification(topic, operation, _items(child(message, "Source")), _items(child(message, "Data"))))
    return Pulled(tuple(found), unread, max(0, len(nodes) - MAX_MESSAGES))


def _items(node: etree._Element | None) -> Items:
    return tuple(
        (attribute(one, "Name")[:_MAX_TEXT], attribute(one, "Value")[:_MAX_TEXT])
        for one in islice(children(node, "SimpleItem"), _MAX_ITEMS)
    )
