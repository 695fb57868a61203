"""The sender of a channel by its kind."""

from collections.abc import Callable

from camera_hub.clock import Clock
from camera_hub.health.notices.mail import MailSender
from camera_hub.health.notices.robots import DingtalkSender, WecomSender
from camera_hub.health.notices.sending import ChannelTarget, HttpClients, Sender
from camera_hub.health.notices.sms import SmsSender
from camera_hub.health.notices.webhook import WebhookSender


def sender_of(target: ChannelTarget, clients: HttpClients, clock: Clock) -> Sender:
    """Raises LookupError for a kind that this program does not know."""
    kinds: dict[str, Callable[[], Sender]] = {
        "webhook": lambda: WebhookSender(target, clients),
        "sms": lambda: SmsSender(target, clients),
        "wecom": lambda: WecomSender(target, clients),
        "dingtalk": lambda: DingtalkSender(target, clients, clock),
        "smtp": lambda: MailSender(target, clock),
    }
    return kinds[target.kind]()
