"""What a device's refusals mean: HTTP status codes and SOAP faults → HubError with a Reason.

Devices often use the wrong codes, so the words count more than the number.
"""

import re

from camera_hub.errors import HubError, Kind, Reason

_AUTH = re.compile(
    r"not\s*authori[sz]ed|un-?authori[sz]ed|sender\s*not\s*author|failed\s*authentication|failedcheck"
    r"|authenticat(e|ion)\w*\s*(is\s*)?(fail|requir|need|error)|authori[sz]ation\s*(is\s*)?(fail|requir|need|error)"
    r"|authority\s*failure|requires?\s*(authenticat|authori[sz]|login|credential)|invalid\s*security|wsse"
    r"|username\s*token|access\s*(is\s*)?denied|login\s*(is\s*)?(requir|fail|need)|not\s*logged\s*in"
    r"|(invalid|wrong|incorrect|bad|mismatch\w*)\s*(user\s*name|user|password|credential)"
    r"|(password|user\s*name|credentials?)\s*(is\s*|are\s*)?(error|wrong|incorrect|invalid|mismatch|not\s*match)"
    r"|未\s*(经)?\s*(授权|认证|登录)|(鉴权|认证|登录)\s*失败|需要\s*(认证|登录|鉴权)|(用户名?|密码)[^。]{0,8}(错误|不正确|不匹配)",
    re.IGNORECASE,
)
_LOCKED = re.compile(
    r"lock(ed)?\s*(out|ed)?\b|too many (failed )?(login|attempt)|(user|account|ip).{0,20}lock"
    r"|(用户|账号|帐号|IP).{0,8}锁定",
    re.IGNORECASE,
)
_NOT_ACTIVATED = re.compile(
    r"not[ _-]?activated|inactivated|not[ _-]?(yet )?initiali[sz]ed|uninitiali[sz]ed|未(激活|初始化)", re.IGNORECASE
)
_FULL = re.compile(r"(maximum|too many|max).{0,30}(session|stream|user|connection)|notenoughresource", re.IGNORECASE)
_UNKNOWN = re.compile(
    r"not\s*(supported|implemented|recogni[sz]ed)|unsupported|unknown\s*(action|operation|method|request)|不支持",
    re.IGNORECASE,
)
_VERSION = re.compile(r"version\s*mismatch", re.IGNORECASE)


def wants_login(status: int, words: str) -> bool:
    """Whether an answer asks for a login, or refuses ours. `words`: code, subcodes and reason."""
    return status == 401 or (status in (400, 403, 500, 200) and _AUTH.search(words) is not None)


def may_hide_login(status: int, body: bytes) -> bool:
    """Whether an answer without a SOAP envelope may be how a device refuses a call that carries no login (case 23)."""
    return status in (400, 403, 404, 405, 500) or (status in (200, 202, 204) and not body.strip())


def wants_soap11(status: int, words: str) -> bool:
    """Whether the device understands SOAP 1.1 alone."""
    return status == 415 or _VERSION.search(words) is not None


def unknown_call(error: HubError) -> bool:
    """Whether the device does not have the call at all, rather than refusing it to this user, now, or in this form."""
    if error.reason == Reason.BAD_REPLY:  # HTTP 400 without a SOAP fault
        return error.params.get("status") == 400
    return error.reason == Reason.SOAP_FAULT and _UNKNOWN.search(error.detail) is not None


def without_fault(status: int) -> HubError:
    """The error for an HTTP status other than 200 that may carry a SOAP fault and carries none."""
    return HubError(
        Kind.UNREACHABLE,
        f"the device's answer cannot be read (HTTP {status} without a SOAP fault)",
        reason=Reason.BAD_REPLY,
        status=status,
    )


def refused(words: str, *, tried: bool, speaks_onvif: bool = True) -> HubError:
    """The error for a login that was refused (`tried`), or that is needed and was not given.

    `speaks_onvif`: it was said in a SOAP envelope, which proves ONVIF; any web server answers 401.
    """
    if _NOT_ACTIVATED.search(words):
        return _not_activated()
    if _LOCKED.search(words):
        return HubError(
            Kind.UNREACHABLE,
            "the device has locked us out after wrong logins; wait half an hour, then correct the login",
            reason=Reason.LOCKED_OUT,
        )
    if not tried:
        return HubError(
            Kind.UNREACHABLE,
            "the device asks for a login and none is set; enter it",
            reason=Reason.LOGIN_NEEDED,
            speaks_onvif=speaks_onvif,
        )
    return HubError(
        Kind.UNREACHABLE,
        "the device refuses this user name and password for ONVIF; some devices have separate ONVIF users",
        reason=Reason.WRONG_PASSWORD,
    )


def _not_activated() -> HubError:
    return HubError(
        Kind.UNREACHABLE,
        "the device is not activated: no administrator's password is set yet; set one with the maker's tool, then add "
        "it",
        reason=Reason.NOT_ACTIVATED,
    )


def refused_by_clock(offset_s: float) -> HubError:
    """The error for a login that was refused by a device whose clock is off by its time zone."""
    hours = f"{offset_s / 3600:+.1f}".removesuffix(".0")
    return HubError(
        Kind.UNREACHABLE,
        f"the device refuses the login while its clock is {hours} h off; set its clock and time zone (or NTP) first,"
        " and check the login if it is still refused then",
        reason=Reason.CLOCK_REFUSED,
        hours=hours,
    )


def of_status(status: int) -> HubError | None:
    """The error that an HTTP status stands for, None for one that may carry a SOAP answer."""
    if status in (200, 400, 500):
        return None
    if status in (404, 405, 501):
        return HubError(
            Kind.UNREACHABLE,
            "the device answers HTTP but not ONVIF; switch ONVIF on in the device's settings",
            reason=Reason.ONVIF_OFF,
        )
    if status == 503:
        return HubError(Kind.UNREACHABLE, "the device is busy (HTTP 503); try later", reason=Reason.DEVICE_FULL)
    return HubError(Kind.UNREACHABLE, f"the device answers HTTP {status}", reason=Reason.BAD_REPLY)


def of_fault(words: str) -> HubError:
    """The error for a SOAP fault that is not a refused login. The device's own words are shortened and sanitized."""
    said = re.sub(r"[^\x20-\x7e\u3000-\u9fff\uff00-\uffef]+", " ", words).strip()[:160]
    if _NOT_ACTIVATED.search(words):
        return _not_activated()
    if _FULL.search(words):
        return HubError(Kind.UNREACHABLE, f"the device is full: {said}", reason=Reason.DEVICE_FULL)
    return HubError(Kind.UNREACHABLE, f"the device refuses the call: {said or 'no words'}", reason=Reason.SOAP_FAULT)
