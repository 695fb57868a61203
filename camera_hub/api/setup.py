"""The first start: create the first township admin with the one-time link from the console."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from camera_hub.access.accounts import Accounts
from camera_hub.access.sessions import Sessions
from camera_hub.access.setup import FirstSetup
from camera_hub.access.sign_in import SignIn
from camera_hub.api.routing import part, public
from camera_hub.api.schemas.people import Me, SetupRequest, SetupState
from camera_hub.api.session import address, agent, known_cookie, me, set_cookies
from camera_hub.settings import Settings

router = APIRouter(prefix="/api/setup", tags=["setup"])

SetupOf = Annotated[FirstSetup, part(FirstSetup)]


@router.get("", dependencies=[public()])
async def state(setup: SetupOf) -> SetupState:
    """Whether the hub still waits for its first township admin."""
    return SetupState(needed=await setup.needed())


@router.post("", status_code=201, dependencies=[public()])
async def make_first_admin(
    body: SetupRequest,
    request: Request,
    response: Response,
    setup: SetupOf,
    signing: Annotated[SignIn, part(SignIn)],
    accounts: Annotated[Accounts, part(Accounts)],
    sessions: Annotated[Sessions, part(Sessions)],
    settings: Annotated[Settings, part(Settings)],
) -> Me:
    """Create the first township admin and sign in. The link cannot be used again."""
    account = await setup.redeem(body.token, body.username, body.display_name, body.password.get_secret_value())
    signed_in = await signing.start(
        account, address=address(request), agent=agent(request), known=known_cookie(request)
    )
    set_cookies(request, response, signed_in, sessions.lifetime_seconds)
    return await me(accounts, settings, account)
