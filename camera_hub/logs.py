"""Logging: one line per record on stderr, with all secrets removed before anything else sees the record."""

import logging
import logging.config
import re
import traceback

_SECRETS = [
    # rtsp://user:pass@host, also with an @ in the password (the last @ before the host counts)
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/?#\"'<>]*@"), r"\1***@"),
    # stream tokens: rtsp://hub:8554/<token>/5, POST /whep/<token>/5
    (re.compile(r"(?i)\b(rtsps?://[^\s/]+/|whep/+)[0-9a-f]{32}\b"), r"\1***"),
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


class Redaction(logging.Filter):
    """First filter of every handler: formats the message, then redacts it, and the traceback too."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = redact("".join(traceback.format_exception(*record.exc_info)).rstrip())
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True


def set_up(level: str = "INFO") -> None:
    """Configure logging for this process. Foreign libraries log from WARNING on."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"redaction": {"()": Redaction}},
            "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["redaction"]}},
            "root": {"level": "WARNING", "handlers": ["stderr"]},
            "loggers": {
                "camera_hub": {"level": level.upper()},
                "uvicorn": {"level": "WARNING"},
            },
        }
    )
    logging.captureWarnings(True)
