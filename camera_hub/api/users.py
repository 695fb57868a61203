"""The users of the hub, managed by township admins."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter

from camera_hub.access.accounts import Account, Accounts, Change, Keep
from camera_hub.access.policy import Action, Actor, Role, VillageGrant
from camera_hub.access.throttle import Throttle
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas import people
from camera_hub.api.schemas.base import Id
from camera_hub.api.schemas.people import ChangeUser, NewUser, UserAnswer

router = APIRouter(prefix="/api/users", tags=["users"])

Manager = Annotated[Actor, needs(Action.MANAGE_USERS)]
AccountsPart = Annotated[Accounts, part(Accounts)]


@router.get("")
async def users(actor: Manager, accounts: AccountsPart) -> list[UserAnswer]:
    """Every user, by name."""
    return [_answer(account) for account in await accounts.all()]


@router.post("", status_code=201)
async def create(body: NewUser, actor: Manager, accounts: AccountsPart) -> UserAnswer:
    """Create a user. 409 when the name is taken."""
    return _answer(
        await accounts.create(
            body.username, body.display_name, Role(body.role), body.password.get_secret_value(), _grants(body.villages)
        )
    )


@router.patch("/{user_id}")
async def change(
    user_id: Id,
    body: ChangeUser,
    actor: Manager,
    accounts: AccountsPart,
    throttle: Annotated[Throttle, part(Throttle)],
) -> UserAnswer:
    """Change a user; what is not sent stays. A new password or disabling ends the user's sessions at once."""
    account = await accounts.change(
        user_id,
        Change(
            display_name=body.display_name,
            role=Role(body.role) if body.role is not None else None,
            villages=_grants(body.villages) if "villages" in body.model_fields_set else Keep.KEEP,
            disabled=body.disabled,
            password=body.password.get_secret_value() if body.password is not None else None,
        ),
    )
    if body.password is not None:
        await throttle.clear(account.username)
    return _answer(account)


def _grants(given: Sequence[people.VillageGrant] | None) -> tuple[VillageGrant, ...] | None:
    if given is None:
        return None
    return tuple(VillageGrant(one.village_id, one.valid_from, one.valid_until) for one in given)


def _answer(account: Account) -> UserAnswer:
    return UserAnswer.model_validate(account)
