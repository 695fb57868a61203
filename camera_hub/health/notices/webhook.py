"""Sends one notice to a web address: a POST of JSON.

    {"id": 12, "kind": "opened" | "flapping" | "closed" | "reminder" | "escalated" | "digest", "at": time,
     "title", "text", "short": in words (Chinese), "severity", "sound": bool, "count": of alarms, "alarm_ids",
     "level": of an escalation,
     "alarm": {"id", "level": "hub" | "village" | "device" | "camera",
               "aspect": "media" | "picture" | "clock" | "recording" | "osd" | "load",
               "severity": "critical" | "major" | "minor" | "warning", "cause": a Reason,
               "village", "device", "camera": {"id", "name"} | null, "cameras": [{"id", "name"}], "detail",
               "params": values of the observation that gave the cause (lossy: {"cause", "percent"}), "opened_at",
               "closed_at", "duration_s", "merged": ids of alarms that this one now stands for},
     "alarms": [alarm, …] instead of "alarm" where it is about several: the first 50 of `count`}

Any 2xx is a receipt. A receiver that has seen an `id` before ignores the repetition. Redirects are not followed.
"""

import json

from camera_hub.health.notices.sending import ChannelTarget, HttpClients, OutgoingNotice, PostResult, by_status


class WebhookSender:
    """Posts the whole notice."""

    spacing = 0.0

    def __init__(self, target: ChannelTarget, clients: HttpClients) -> None:
        self._target = target
        self._clients = clients

    async def send(self, notice: OutgoingNotice) -> PostResult:
        """One POST. Never raises for a faulty receiver."""
        body = json.dumps({"id": notice.id, **notice.payload}, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json"}
        answer = await self._clients.ask(self._target, "POST", self._target.url, body, headers, read=False)
        return answer if isinstance(answer, PostResult) else by_status(answer.status)
