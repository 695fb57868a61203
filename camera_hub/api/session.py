"""Signing in and out, and who is signed in. The session token is kept in an HttpOnly cookie and nowhere else."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from camera_hub.access.accounts import Account, Accounts
from camera_hub.access.known_browsers import DAYS
from camera_hub.access.policy import Action, Actor, actions
from camera_hub.access.sessions import Sessions
from camera_hub.access.sign_in import SignedIn, SignIn
from camera_hub.access.throttle import SignInAttempt, Throttle
from camera_hub.api.routing import cookie_name, needs, part, public, session_token
from camera_hub.api.schemas.base import Done
from camera_hub.api.schemas.people import Me, MyVillage, NewPassword, SignInRequest
from camera_hub.clock import Clock
from camera_hub.errors import HubError
from camera_hub.events import AccessChanged, EventBus
from camera_hub.settings import Settings

router = APIRouter(prefix="/api/session", tags=["session"])

Self = Annotated[Actor, needs(Action.SELF)]
AccountsPart = Annotated[Accounts, part(Accounts)]
SettingsPart = Annotated[Settings, part(Settings)]
SessionsPart = Annotated[Sessions, part(Sessions)]


@router.get("")
async def who_am_i(actor: Self, accounts: AccountsPart, settings: SettingsPart) -> Me:
    """Who is signed in, and what they may do."""
    return await me(accounts, settings, await accounts.get(actor.user_id))


@router.post("", dependencies=[public()])
async def sign_in(
    body: SignInRequest,
    request: Request,
    response: Response,
    signing: Annotated[SignIn, part(SignIn)],
    accounts: AccountsPart,
    sessions: SessionsPart,
    settings: SettingsPart,
) -> Me:
    """Start a session. A session that the browser had before is ended."""
    signed_in = await signing(
        body.username,
        body.password.get_secret_value(),
        address=address(request),
        agent=agent(request),
        known=known_cookie(request),
    )
    if old := session_token(request):
        await sessions.end(old)
    set_cookies(request, response, signed_in, sessions.lifetime_seconds)
    return await me(accounts, settings, signed_in.account)


@router.delete("")
async def sign_out(
    request: Request,
    response: Response,
    actor: Self,
    sessions: SessionsPart,
    clock: Annotated[Clock, part(Clock)],
    bus: Annotated[EventBus, part(EventBus)],
) -> Done:
    """End this session; its pages in other tabs are signed out, too."""
    await sessions.end(session_token(request))
    bus.publish(AccessChanged(actor.user_id))
    set_cookie(request, response, "", 0)
    return Done(at=clock.now())


@router.put("/password")
async def new_password(
    body: NewPassword,
    request: Request,
    actor: Self,
    accounts: AccountsPart,
    throttle: Annotated[Throttle, part(Throttle)],
    clock: Annotated[Clock, part(Clock)],
) -> Done:
    """Change one's own password; all other sessions of the user end. A wrong old one counts as a failed sign-in."""
    attempt = SignInAttempt(actor.username, address(request), inside=True)
    await throttle.attempt(attempt)
    try:
        await accounts.new_password(
            actor.user_id, body.old.get_secret_value(), body.new.get_secret_value(), keep=session_token(request)
        )
    except HubError as error:
        if error.reason == "old_password_wrong":
            raise
        await throttle.succeeded(attempt)  # the old one was right, the new one is refused
        raise
    await throttle.succeeded(attempt)
    return Done(at=clock.now())


async def me(accounts: Accounts, settings: Settings, account: Account) -> Me:
    """The answer that says who is signed in."""
    actor = accounts.as_actor(account)
    names = None if actor.villages is None else await accounts.village_names(sorted(actor.villages))
    return Me(
        id=account.id,
        username=account.username,
        display_name=account.display_name,
        role=account.role.value,
        villages=None if names is None else [MyVillage(id=number, name=name) for number, name in names.items()],
        actions=sorted(action.value for action in actions(actor)),
        time_zone=settings.site.time_zone,
    )


def set_cookies(request: Request, response: Response, signed_in: SignedIn, seconds: int) -> None:
    """Set the session's cookie, and the one by which the browser is known at its next sign-in."""
    set_cookie(request, response, signed_in.token, seconds)
    _set(request, response, _known_name(request), signed_in.known, DAYS * 86_400)


def set_cookie(request: Request, response: Response, token: str, seconds: int) -> None:
    """Set the session cookie, or delete it (seconds 0)."""
    _set(request, response, cookie_name(request.app.state.secure_cookies), token, seconds)


def known_cookie(request: Request) -> str:
    """The cookie by which the browser is known, "" when there is none."""
    return request.cookies.get(_known_name(request), "")


def _known_name(request: Request) -> str:
    return cookie_name(request.app.state.secure_cookies).replace("session", "known")


def _set(request: Request, response: Response, name: str, value: str, seconds: int) -> None:
    secure: bool = request.app.state.secure_cookies
    response.set_cookie(name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax")


def address(request: Request) -> str:
    """Where the request came from, as far as the server knows."""
    return request.client.host if request.client is not None else ""


def agent(request: Request) -> str:
    """The browser's User-Agent."""
    return request.headers.get("user-agent", "")
