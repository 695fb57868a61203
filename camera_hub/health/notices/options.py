"""Pure: what a channel of each kind needs, and whether what was given will do.

`address` is a URL (webhook, sms, wecom, dingtalk) or a mail server's host. Options are shown to township admins,
secrets never. A kind takes no others than its own:

- webhook: nothing
- sms: method, format (json | form | xml | text), body (template), phones, accepted (what a good answer contains),
  reserve (characters that the gateway adds, its signature); secrets: headers
- wecom: phones (mentioned); dingtalk: phones; secrets: sign
- smtp: port, security (none | starttls | tls), verify, sender, recipients; secrets: username, password
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from camera_hub.errors import HubError, Kind

KINDS = ("webhook", "sms", "wecom", "dingtalk", "smtp")
QUIET_KINDS = frozenset({"sms", "wecom", "dingtalk", "smtp"})
"""Read by people: quiet at night unless somebody says otherwise."""

PLACEHOLDERS = ("text", "title", "phone", "phones", "id")
_MARK = re.compile(r"\{(" + "|".join(PLACEHOLDERS) + r")\}")
_PHONE = re.compile(r"\+?[0-9]{5,20}")
_MAIL = re.compile(r"[^\s@<>\"(),:;\[\]\\\x00-\x1f\x7f]{1,64}@[A-Za-z0-9.-]{1,190}")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_LINE = re.compile(r"[\x20-\x7e]{0,1024}")
_HOST = re.compile(r"(?=.{1,253}\Z)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?)+|[0-9a-fA-F:]{2,45}")
_NOT_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"})

_OPTIONS = {
    "webhook": frozenset[str](),
    "sms": frozenset({"method", "format", "body", "phones", "accepted", "reserve"}),
    "wecom": frozenset({"phones"}),
    "dingtalk": frozenset({"phones"}),
    "smtp": frozenset({"port", "security", "verify", "sender", "recipients"}),
}
_SECRETS = {
    "webhook": frozenset[str](),
    "sms": frozenset({"headers"}),
    "wecom": frozenset[str](),
    "dingtalk": frozenset({"sign"}),
    "smtp": frozenset({"username", "password"}),
}


def refused(detail: str, field: str) -> HubError:
    """What is wrong with a channel's field."""
    return HubError(Kind.INVALID, detail, reason="channel_option", field=field)


def host_of(url: str) -> str:
    """The host of a web address: all of it that may be shown. Raises HubError(INVALID) for an unusable one."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = None, None
    if parts is None or parts.scheme not in ("http", "https") or not host:
        raise HubError(
            Kind.INVALID,
            "the address of a webhook or gateway must begin with http:// or https:// and name a host",
            reason="webhook_url",
        )
    return host


def checked_host(kind: str, address: str) -> str:
    """What may be shown of a channel's address. Raises HubError(INVALID)."""
    if kind != "smtp":
        return host_of(address)
    host = address.strip("[]")
    if not _HOST.fullmatch(host):
        raise refused("name the mail server by its host name or address, without a port", "url")
    return host


def proxy_host(proxy: str) -> str:
    """Host and port of a proxy. Raises HubError(INVALID)."""
    try:
        parts = urlsplit(proxy)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = None, None, None
    if parts is None or parts.scheme != "http" or not host or parts.path not in ("", "/") or parts.query:
        raise refused("a proxy is written as http://host:port, with user:password@ before the host if need be", "proxy")
    return f"{host}:{port or 80}"


def checked_options(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options as they are stored. Raises HubError(INVALID, channel_option) that names the field."""
    if strange := given.keys() - _OPTIONS[kind]:
        raise refused(f"a channel of this kind has no {sorted(strange)[0]}", sorted(strange)[0])
    options = dict(given)
    if "phones" in options or kind == "sms":
        options["phones"] = _phones(options.get("phones", []))
    if kind == "sms":
        return _sms(options)
    return _smtp(options) if kind == "smtp" else options


def checked_secrets(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The secrets as they are sealed; an empty one is none. Raises HubError(INVALID) that repeats none of them."""
    if strange := given.keys() - _SECRETS[kind]:
        raise refused(f"a channel of this kind has no {sorted(strange)[0]}", sorted(strange)[0])
    secrets = {name: value for name, value in given.items() if value}
    for name, value in secrets.items():
        if name == "headers":
            secrets[name] = _headers(value)
        elif not isinstance(value, str) or len(value) > 512 or not value.isprintable():
            raise refused("write it on one line of at most 512 characters", name)
    return secrets


def secret_names(secrets: Mapping[str, Any]) -> tuple[str, ...]:
    """Which secrets a channel has, headers by their names: what is shown of them."""
    names = [name for name in secrets if name != "headers"]
    return tuple(sorted(names + [f"headers.{name}" for name in secrets.get("headers", {})]))


def filled(template: str, values: Mapping[str, str], style: str) -> str:
    """The template with its placeholders replaced, each value written as the format wants it."""
    return _MARK.sub(lambda mark: _written(values[mark[1]], style), template)


def _written(value: str, style: str) -> str:
    if style == "json":
        return json.dumps(value, ensure_ascii=False)[1:-1]
    if style == "form":
        from urllib.parse import quote_plus

        return quote_plus(value)
    if style == "xml":
        from xml.sax.saxutils import escape

        return escape(value, {'"': "&quot;", "'": "&apos;"})
    return value


def _sms(options: dict[str, Any]) -> dict[str, Any]:
    method, style = options.setdefault("method", "POST"), options.setdefault("format", "json")
    if method not in ("GET", "POST"):
        raise refused("the method is GET or POST", "method")
    if style not in ("json", "form", "xml", "text"):
        raise refused("the format is json, form, xml or text", "format")
    body = options.setdefault("body", "")
    if not isinstance(body, str) or len(body) > 4000:
        raise refused("the template has at most 4,000 characters", "body")
    if method == "POST" and "{text}" not in body:
        raise refused("the template must contain {text}, where the message goes", "body")
    if not options["phones"] and any(mark in body for mark in ("{phone}", "{phones}")):
        raise refused("the template names phone numbers; enter at least one", "phones")
    if method == "POST" and style == "json":
        try:
            json.loads(filled(body, {**dict.fromkeys(PLACEHOLDERS, "1"), "text": "x", "title": "x"}, "json"))
        except ValueError as error:
            raise refused(
                'the template is not valid JSON; put placeholders in quotes, as in "{text}"', "body"
            ) from error
    accepted = options.setdefault("accepted", "")
    if not isinstance(accepted, str) or len(accepted) > 200:
        raise refused("what a good answer contains has at most 200 characters", "accepted")
    reserve = options.setdefault("reserve", 12)
    if not isinstance(reserve, int) or not 0 <= reserve <= 60:
        raise refused("the gateway's signature has 0 to 60 characters", "reserve")
    return options


def _smtp(options: dict[str, Any]) -> dict[str, Any]:
    security = options.setdefault("security", "starttls")
    if security not in ("none", "starttls", "tls"):
        raise refused("the encryption is none, starttls or tls", "security")
    port = options.setdefault("port", {"none": 25, "starttls": 587, "tls": 465}[security])
    if not isinstance(port, int) or not 1 <= port <= 65535:
        raise refused("a port is 1 to 65535", "port")
    if not isinstance(options.setdefault("verify", True), bool):
        raise refused("whether the certificate is checked is true or false", "verify")
    if not _is_mail(options.get("sender")):
        raise refused("name one sender, as in hub@example.com", "sender")
    recipients = options.get("recipients")
    if not isinstance(recipients, list) or not 1 <= len(recipients) <= 50 or not all(map(_is_mail, recipients)):
        raise refused("name 1 to 50 recipients, as in name@example.com", "recipients")
    return options


def _is_mail(text: object) -> bool:
    return isinstance(text, str) and bool(_MAIL.fullmatch(text)) and text.isascii()


def _phones(phones: object) -> list[str]:
    if not isinstance(phones, list) or len(phones) > 50:
        raise refused("name at most 50 phone numbers", "phones")
    for phone in phones:
        if not isinstance(phone, str) or not _PHONE.fullmatch(phone):
            raise refused("a phone number has digits only, with + before a country code", "phones")
    return list(dict.fromkeys(phones))


def _headers(headers: object) -> dict[str, str]:
    if not isinstance(headers, dict) or len(headers) > 16:
        raise refused("give at most 16 headers", "headers")
    for name, value in headers.items():
        if not isinstance(name, str) or not _TOKEN.fullmatch(name) or name.lower() in _NOT_OURS:
            raise refused(
                "a header's name has letters, digits and hyphens, and is none that the transfer needs", "headers"
            )
        if not isinstance(value, str) or not _LINE.fullmatch(value):
            raise refused("a header's value is one line of ASCII", "headers")
    return dict(headers)
