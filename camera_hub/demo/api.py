"""A browser without pages: the hub's HTTP API for the demo, with errors as HubError."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from camera_hub.errors import HubError, Kind

TIMEOUT = 90.0


class Api:
    """One signed-in browser at `url`."""

    def __init__(self, client: httpx.AsyncClient, url: str) -> None:
        self._client = client
        self.url = url

    async def __call__(self, method: str, path: str, body: object = None, **query: object) -> Any:
        """The answer's JSON. Raises the hub's error answer as HubError."""
        parameters = {name: str(value) for name, value in query.items()}
        try:
            answer = await self._client.request(method, path, json=body, params=parameters)
        except httpx.HTTPError as error:
            raise HubError(Kind.UNAVAILABLE, f"the hub does not answer {method} {path}: {error!r}") from error
        answered: Any = answer.json() if answer.content else None
        if answer.is_error:
            raise HubError(Kind(answered["error"]), f"{method} {path}: {answered['detail']}", reason=answered["reason"])
        return answered

    @property
    def cookie(self) -> str:
        """The Cookie header, for the WebSocket."""
        return "; ".join(f"{name}={value}" for name, value in self._client.cookies.items())


@asynccontextmanager
async def browser(url: str) -> AsyncIterator[Api]:
    """A browser that is not signed in yet."""
    headers = {"x-camera-hub": "1"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT, trust_env=False) as client:
        yield Api(client, url)
