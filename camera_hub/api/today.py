"""The day of the site's calendar, for routes that need no other time."""

from datetime import date
from typing import Annotated

from fastapi import Depends

from camera_hub.api.routing import part
from camera_hub.clock import Clock
from camera_hub.settings import Settings


async def _today(clock: Annotated[Clock, part(Clock)], settings: Annotated[Settings, part(Settings)]) -> date:
    return clock.now().astimezone(settings.site.zone).date()


Today = Annotated[date, Depends(_today)]
"""Between midnight and 8 o'clock in China it is not that of UTC."""
