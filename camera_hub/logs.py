"""Logging: one line per record on stderr, without secrets, and bounded however much comes from outside.

What a stranger, a device or a user wrote may stand in any record: a path, a header, a name, a foreign exception's text.
So every record goes through `Redaction` (no secrets, no line breaks or terminal controls, cut) and `Sparing` (not the
same line without end), whoever logs it; `outside` quotes such a text where it stands beside our own words.
"""

import logging
import logging.config
import re
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from camera_hub.text import escaped

MAX_MESSAGE = 4000
"""Characters of a message."""
MAX_OUTSIDE = 200
"""Characters of a text from outside within a message."""
MAX_TRACEBACK = 12_000
_READ = 8000
"""Characters of a text that are looked at for secrets."""

_SECRETS = [
    # rtsp://user:pass@host, also with an @ in the password (the last @ before the host counts)
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,31}://)[^\s/?#\"'<>]*@"), r"\1***@"),
    # RTSP out and WHEP: rtsp://hub:8554/<token>/5, and the path alone
    (re.compile(r"(?i)(/)[0-9a-f]{32}(?![0-9a-z])"), r"\1***"),
    # Authorization: Digest username="…" … to the end of the line
    (re.compile(r"(?i)\b((?:proxy-)?authorization['\"]?\s*[:=]\s*)[^\r\n]+"), r"\1***"),
    (re.compile(r"(?i)\b((?:set-)?cookie['\"]?\s*[:=]\s*)[^\r\n]+"), r"\1***"),
    # SOAP: <wsse:Password Type="…">…</wsse:Password>
    (re.compile(r"(?is)(<(?:\w+:)?password\b[^>]*>).*?(</)"), r"\1***\2"),
    # password=…, "password": "…", pwd: …, token=…
    (
        re.compile(
            r"(?i)((?:password|passwd|passphrase|pwd|secret|token)['\"]?\s*[:=]\s*)"
            r"(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s,;&)}\]]+)"
        ),
        r"\1***",
    ),
]


def redact(text: str) -> str:
    """The text without logins in URLs, authorization and cookie headers, and values named password or the like."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def outside(text: object, limit: int = MAX_OUTSIDE) -> str:
    """A text from outside for a log line: in quotes, cut, without line breaks, controls and secrets."""
    return f'"{_harmless(str(text), limit)}"'


def _harmless(text: str, limit: int) -> str:
    whole = len(text)
    text = escaped(redact(_beginning(text)))
    return text if whole <= limit and len(text) <= 2 * limit else f"{text[:limit]}… ({whole} characters)"


def _beginning(text: str) -> str:
    """As much of a text as is looked at, ending between two words: half a login would not be recognised as one."""
    if len(text) <= _READ:
        return text
    begun = text[:_READ]
    words = begun.rsplit(maxsplit=1)
    return words[0] if len(words) == 2 and len(words[1]) < 512 else begun


class Redaction(logging.Filter):
    """Formats the message, then makes it and the traceback harmless: no secrets, one line, cut.

    Lines of a traceback begin with a bar, so that none can pass for a record.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _harmless(record.getMessage(), MAX_MESSAGE), None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = _barred("".join(traceback.format_exception(*record.exc_info)))
        if record.stack_info:
            record.stack_info = _barred(record.stack_info)
        return True


def _barred(text: str) -> str:
    """Several lines, each harmless and marked."""
    lines = redact(_ends(text.rstrip(), MAX_TRACEBACK)).split("\n")
    return _ends("\n".join(f"  | {escaped(line)}" for line in lines), MAX_TRACEBACK)


def _ends(text: str, limit: int) -> str:
    """The beginning and the end of a long text: the end of a traceback says what happened."""
    if len(text) <= limit:
        return text
    return f"{text[: limit // 2]}\n  | … ({len(text)} characters) …\n  | {text[-limit // 2 :]}"


@dataclass(slots=True)
class _Minute:
    since: float
    count: int = 0


class Sparing(logging.Filter):
    """Lets the same line through so many times a minute; the last one says that more are not logged.

    The same: of one logger and one format string, whatever its arguments. Ours may name hundreds of cameras; what
    foreign libraries say, and tracebacks, say the same each time.
    """

    OURS, FOREIGN, TRACEBACKS = 600, 10, 20
    KINDS = 512

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._minutes: dict[tuple[str, int, str], _Minute] = {}
        self.dropped = 0

    def filter(self, record: logging.LogRecord) -> bool:
        key = (record.name, record.levelno, str(record.msg)[:120])
        now = self._now()
        minute = self._minutes.get(key)
        if minute is None or now - minute.since >= 60.0:
            self._minutes.pop(key, None)
            if len(self._minutes) >= self.KINDS:
                del self._minutes[next(iter(self._minutes))]
            minute = self._minutes[key] = _Minute(now)
        minute.count += 1
        limit = self._limit(record)
        if minute.count == limit:
            record.msg = f"{record.getMessage()} (more such lines of this minute are not logged)"
            record.args = None
        self.dropped += minute.count > limit
        return minute.count <= limit

    def _limit(self, record: logging.LogRecord) -> int:
        if record.exc_info:
            return self.TRACEBACKS
        return self.OURS if record.name.partition(".")[0] == "camera_hub" else self.FOREIGN


def set_up(level: str = "INFO", process: str = "") -> None:
    """Configure logging for this process; `process` names it if it is not the hub. Foreign libraries log from WARNING
    on.
    """
    named = f"{process} " if process else ""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"sparing": {"()": Sparing}, "redaction": {"()": Redaction}},
            "formatters": {"line": {"format": f"%(asctime)s {named}%(levelname)s %(name)s: %(message)s"}},
            "handlers": {
                "stderr": {
                    "class": "logging.StreamHandler",
                    "formatter": "line",
                    "filters": ["sparing", "redaction"],
                }
            },
            "root": {"level": "WARNING", "handlers": ["stderr"]},
            "loggers": {
                "camera_hub": {"level": level.upper()},
                "uvicorn": {"level": "WARNING"},
            },
        }
    )
    logging.captureWarnings(True)
