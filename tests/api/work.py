"""Puts the parts of health and patrol, and their routes, in front of the test hub."""

from typing import Any

from fastapi import APIRouter

from tests.api.conftest import Hub


def serve(hub: Hub, router: APIRouter, *parts: Any) -> None:
    """Add what the app does not have yet."""
    for part in parts:
        hub.parts[type(part)] = part
    known = {getattr(route, "path", "") for route in hub.app.routes}
    if not any(getattr(route, "path", None) in known for route in router.routes):
        hub.app.include_router(router)
