"""Login profiles of villages, and new logins for many devices at once. Passwords are write-only."""

from typing import Annotated

from fastapi import APIRouter, Query

from camera_hub.access.policy import Action, Actor
from camera_hub.api.routing import needs, part
from camera_hub.api.schemas.base import Done, Id
from camera_hub.api.schemas.jobs import JobProgressAnswer
from camera_hub.api.schemas.logins import (
    ChangeProfile,
    NewLogins,
    NewNamedLogins,
    NewProfile,
    ProfileAnswer,
    ProfileChanged,
    ProfileDevices,
)
from camera_hub.cameras.bulk.login_changes import LoginChanges
from camera_hub.cameras.credentials.profiles import LoginProfiles, ProfileView
from camera_hub.cameras.jobs import JobView
from camera_hub.clock import Clock

router = APIRouter(prefix="/api/logins", tags=["logins"])

Registrar = Annotated[Actor, needs(Action.REGISTER)]
Profiles = Annotated[LoginProfiles, part(LoginProfiles)]
Changes = Annotated[LoginChanges, part(LoginChanges)]


@router.get("", response_model=list[ProfileAnswer])
async def list_profiles(
    actor: Registrar, profiles: Profiles, village_id: Annotated[Id | None, Query()] = None
) -> list[ProfileView]:
    return await profiles.all(actor, village_id)


@router.post("", response_model=ProfileAnswer, status_code=201)
async def add_profile(body: NewProfile, actor: Registrar, profiles: Profiles) -> ProfileView:
    return await profiles.add(
        actor, body.village_id, body.name, body.purposes, body.username, body.password.get_secret_value()
    )


@router.post("/change", response_model=JobProgressAnswer, status_code=201)
async def change_logins(body: NewLogins, actor: Registrar, changes: Changes) -> JobView:
    """Ask each of these devices once with a new login, and store it where it is accepted."""
    return await changes.change(
        actor, body.device_ids, body.purpose, body.username or None, body.password.get_secret_value()
    )


@router.post("/change-named", response_model=JobProgressAnswer, status_code=201)
async def change_named_logins(body: NewNamedLogins, actor: Registrar, changes: Changes) -> JobView:
    """The same for all devices of a village that have a login of their own with that user name."""
    return await changes.change_named(
        actor,
        body.village_id,
        body.old_username,
        body.purpose,
        body.username or None,
        body.password.get_secret_value(),
    )


@router.get("/{profile_id}", response_model=ProfileAnswer)
async def profile(profile_id: Id, actor: Registrar, profiles: Profiles) -> ProfileView:
    return await profiles.get(actor, profile_id)


@router.patch("/{profile_id}", response_model=ProfileChanged)
async def change_profile(
    profile_id: Id, body: ChangeProfile, actor: Registrar, profiles: Profiles, changes: Changes
) -> ProfileChanged:
    """Change it. A new login is tried at each device that has the profile; who refuses it keeps the one from before."""
    changed = await profiles.change(
        actor,
        profile_id,
        name=body.name,
        purposes=body.purposes,
        username=body.username,
        password=body.password.get_secret_value() if body.password is not None else None,
    )
    view = await profiles.get(actor, profile_id)
    job = await changes.follow(actor, profile_id) if changed and view.uses else None
    return ProfileChanged(
        profile=ProfileAnswer.model_validate(view),
        job=JobProgressAnswer.model_validate(job) if job is not None else None,
    )


@router.delete("/{profile_id}")
async def delete_profile(
    profile_id: Id, actor: Registrar, profiles: Profiles, clock: Annotated[Clock, part(Clock)]
) -> Done:
    """Only while no device in service has it."""
    await profiles.delete(actor, profile_id)
    return Done(at=clock.now())


@router.post("/{profile_id}/assign", response_model=JobProgressAnswer, status_code=201)
async def assign_profile(profile_id: Id, body: ProfileDevices, actor: Registrar, changes: Changes) -> JobView:
    """Ask each of these devices once with the profile's login, and give it to those that accept it."""
    return await changes.assign(actor, profile_id, body.device_ids)


@router.post("/{profile_id}/retry", response_model=JobProgressAnswer, status_code=201)
async def retry_profile(profile_id: Id, actor: Registrar, changes: Changes) -> JobView:
    """Try again at the devices that have the profile, but not yet its present login."""
    return await changes.follow(actor, profile_id)


@router.post("/{profile_id}/release", response_model=ProfileAnswer)
async def release_devices(profile_id: Id, body: ProfileDevices, actor: Registrar, profiles: Profiles) -> ProfileView:
    """These devices keep their present login as one of their own."""
    return await profiles.release(actor, profile_id, body.device_ids)
