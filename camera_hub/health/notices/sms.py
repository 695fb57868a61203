"""SMS gateways: any that takes HTTP, by a template of the site's own. A text has at most two parts of 67 characters."""

from camera_hub.health.notices.options import filled
from camera_hub.health.notices.sending import (
    ChannelTarget,
    HttpClients,
    OutgoingNotice,
    PostOutcome,
    PostResult,
    by_status,
)
from camera_hub.health.notices.words import SMS_UNITS, cut

_TYPES = {
    "json": "application/json; charset=utf-8",
    "form": "application/x-www-form-urlencoded; charset=utf-8",
    "xml": "application/xml; charset=utf-8",
    "text": "text/plain; charset=utf-8",
}


class SmsSender:
    """One request for each phone if the template names {phone}, else one for all of them ({phones})."""

    spacing = 0.0

    def __init__(self, target: ChannelTarget, clients: HttpClients) -> None:
        self._target = target
        self._clients = clients

    async def send(self, notice: OutgoingNotice) -> PostResult:
        """Send to the phones that do not have it yet; the first failure ends the attempt."""
        options = self._target.settings
        phones = list(options["phones"])
        if "{phone}" not in options["body"] + self._target.url:
            return await self._ask(notice, "")
        result = PostResult(PostOutcome.DELIVERED)
        for number, phone in enumerate(phones):
            if number < notice.sent:
                continue
            result = await self._ask(notice, phone)
            if result.outcome is not PostOutcome.DELIVERED:
                return result
            await notice.progress(number + 1)
        return result

    async def _ask(self, notice: OutgoingNotice, phone: str) -> PostResult:
        options, secret = self._target.settings, self._target.secret
        text = cut(notice.said("short").replace("\n", " "), SMS_UNITS - int(options["reserve"]))
        values = {
            "text": text,
            "title": notice.said("title"),
            "phone": phone,
            "phones": ",".join(options["phones"]),
            "id": str(notice.id),
        }
        url = filled(self._target.url, values, "form")
        post = options["method"] == "POST"
        body = filled(options["body"], values, options["format"]).encode() if post else None
        headers = {"Content-Type": _TYPES[options["format"]]} if post else {}
        headers |= secret.get("headers", {})
        answer = await self._clients.ask(self._target, options["method"], url, body, headers)
        if isinstance(answer, PostResult):
            return answer
        result = by_status(answer.status)
        wanted = str(options["accepted"])
        if result.outcome is PostOutcome.DELIVERED and wanted and wanted.encode() not in answer.body:
            return PostResult(
                PostOutcome.FAILED, "the answer does not say that it was accepted", "channel_not_accepted"
            )
        return result
