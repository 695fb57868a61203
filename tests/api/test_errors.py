"""Every error has one shape, and none gives away what was typed or where the code failed."""

import logging
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, WebSocket
from pydantic import BaseModel, SecretStr

from camera_hub.api import errors
from camera_hub.errors import HubError, Kind, Reason


class Body(BaseModel):
    name: str
    password: SecretStr


def _app() -> FastAPI:
    app = FastAPI()

    @app.get("/refused")
    async def refused() -> None:
        raise HubError(Kind.UNREACHABLE, "the camera does not answer", reason=Reason.TIMED_OUT, host="127.0.0.9")

    @app.get("/broken")
    async def broken() -> None:
        raise ZeroDivisionError("a secret inside")

    @app.post("/typed")
    async def typed(body: Body) -> None: ...

    @app.websocket("/accepted")
    async def accepted(socket: WebSocket) -> None:
        await socket.accept()

    @app.websocket("/denied")
    async def denied(socket: WebSocket) -> None:
        raise HubError(Kind.UNAUTHENTICATED, "nobody is signed in")

    @app.websocket("/broken")
    async def broken_socket(socket: WebSocket) -> None:
        raise OSError("the disk is full")

    errors.install(app)
    app.add_middleware(errors.Unexpected)
    return app


@pytest.fixture
def client() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(_app()), base_url="http://hub")


async def test_a_hub_error_is_told_with_its_status(client: httpx.AsyncClient) -> None:
    answer = await client.get("/refused")
    assert answer.status_code == 502
    assert answer.json() == {
        "error": "unreachable",
        "reason": "timed_out",
        "detail": "the camera does not answer",
        "params": {"host": "127.0.0.9"},
    }


async def test_an_unexpected_failure_is_logged_whole_and_told_without_traceback(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await client.get("/broken")
    assert answer.status_code == 500
    assert answer.json()["error"] == "internal"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    ("path", "logged"),
    [("/accepted", False), ("/denied", False), ("/broken", True)],
    ids=lambda one: str(one).strip("/"),
)
async def test_a_websocket_whose_browser_has_gone_away_is_no_error(
    caplog: pytest.LogCaptureFixture, path: str, logged: bool
) -> None:
    class Gone(OSError): ...

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        if message.get("code") != 1011:
            raise Gone

    extensions: dict[str, Any] = {"websocket.http.response": {}}
    scope = {"type": "websocket", "path": path, "query_string": b"", "headers": [], "extensions": extensions}
    await _app()(scope, receive, send)
    assert bool(caplog.records) is logged


async def test_invalid_input_names_the_field_and_never_repeats_it(client: httpx.AsyncClient) -> None:
    answer = await client.post("/typed", json={"password": ["hunter2"]})
    assert answer.status_code == 422
    body = answer.json()
    assert body["error"] == body["reason"] == "invalid"
    assert {field["field"] for field in body["params"]["fields"]} == {"name", "password"}
    assert "name: Field required" in body["detail"]
    assert "hunter2" not in answer.text


@pytest.mark.parametrize("content", [b"{", b'"hunter2"', b"\xff\xfe"])
async def test_a_body_that_is_no_json_object_is_invalid(client: httpx.AsyncClient, content: bytes) -> None:
    answer = await client.post("/typed", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["error"] == "invalid"
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "error", "reason"),
    [("GET", "/nowhere", 404, "not_found", "not_found"), ("PUT", "/refused", 405, "unsupported", "method_not_allowed")],
)
async def test_unknown_places_and_methods_have_the_same_shape(
    client: httpx.AsyncClient, method: str, path: str, status: int, error: str, reason: str
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status
    body = answer.json()
    assert set(body) == {"error", "reason", "detail", "params"}
    assert (body["error"], body["reason"]) == (error, reason)
