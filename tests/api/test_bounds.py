"""Every value that a request may bring has bounds: of the description, so that none is forgotten, and on the wire."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
import pytest

from camera_hub.access.policy import Role
from camera_hub.api import live
from camera_hub.app import create_app
from camera_hub.settings import Settings
from tests.api.conftest import Hub

pytestmark = pytest.mark.one_database

JsonSchema = dict[str, Any]


def unbounded(
    schema: JsonSchema, definitions: JsonSchema, place: str, seen: frozenset[str] = frozenset()
) -> Iterator[str]:
    """Places in a schema where a string, number, list or object has no limit."""
    if (name := schema.get("$ref", "").rpartition("/")[2]) and name not in seen:
        yield from unbounded(definitions[name], definitions, f"{place}:{name}", seen | {name})
    for one in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        yield from unbounded(one, definitions, place, seen)
    kind = schema.get("type")
    if kind == "string":
        told = {"maxLength", "enum", "const"} & schema.keys() or schema.get("format") in ("date", "date-time")
        yield from () if told else (f"{place}: a string without maxLength",)
    elif kind in ("integer", "number") and not {"enum", "const"} & schema.keys():
        low = {"minimum", "exclusiveMinimum"} & schema.keys()
        high = {"maximum", "exclusiveMaximum"} & schema.keys()
        yield from () if low and high else (f"{place}: {kind} without minimum or maximum",)
    elif kind == "array":
        yield from () if "maxItems" in schema else (f"{place}: an array without maxItems",)
        for one in (*schema.get("prefixItems", ()), *([schema["items"]] if "items" in schema else ())):
            yield from unbounded(one, definitions, f"{place}[]", seen)
    elif kind == "object":
        others = schema.get("additionalProperties", True)
        if isinstance(others, dict) and "maxProperties" in schema:
            yield from unbounded(others, definitions, f"{place}.*", seen)
        elif others is not False:
            yield f"{place}: an object that takes other keys"
        for key, inner in schema.get("properties", {}).items():
            yield from unbounded(inner, definitions, f"{place}.{key}", seen)


@cache
def described() -> JsonSchema:
    """The API's description, which takes two seconds to make."""
    return create_app(Settings()).openapi()


def _requests() -> Iterator[tuple[str, JsonSchema]]:
    """Every parameter and body of the API with its place."""
    for path, methods in described()["paths"].items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", ()):
                yield f"{method.upper()} {path} {parameter['in']} {parameter['name']}", parameter["schema"]
            for media in operation.get("requestBody", {}).get("content", {}).values():
                yield f"{method.upper()} {path} body", media["schema"]


@pytest.mark.slow
def test_every_parameter_and_body_is_bounded() -> None:
    definitions = described()["components"]["schemas"]
    requests = list(_requests())
    assert len(requests) > 80
    assert [found for place, schema in requests for found in unbounded(schema, definitions, place)] == []


def test_every_message_of_a_page_is_bounded() -> None:
    schema = live.WISH.json_schema()
    assert list(unbounded(schema, schema["$defs"], "message")) == []


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "string"}, "x: a string without maxLength"),
        ({"type": "integer", "minimum": 0}, "x: integer without minimum or maximum"),
        (
            {"anyOf": [{"type": "null"}, {"type": "array", "items": {"type": "boolean"}}]},
            "x: an array without maxItems",
        ),
        ({"type": "object", "properties": {}}, "x: an object that takes other keys"),
    ],
    ids=str,
)
def test_what_is_not_bounded_is_seen(schema: JsonSchema, said: str) -> None:
    assert list(unbounded(schema, {}, "x")) == [said]


AT_THE_END_OF_TIME = "9999-12-31T23:59:59-12:00"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/alarms?before=9223372036854775808", None),
        ("GET", "/api/alarms?limit=9223372036854775808", None),
        ("GET", "/api/alarms?before=9007199254740993", None),
        ("GET", "/api/cameras/1/still?n=9223372036854775808", None),
        ("GET", "/api/cameras/1/observations?hours=nan", None),
        ("GET", "/api/cameras/1/observations?hours=inf", None),
        ("GET", "/api/runs/1/steps?after=2147483648", None),
        ("POST", "/api/runs/1/pause", {"revision": 2**63}),
        ("POST", "/api/system/relays/9223372036854775808/restart", None),
        ("POST", "/api/session", {"username": "a\x00b", "password": "x"}),
        ("POST", "/api/session", {"username": "li", "password": "\ud800"}),
        ("POST", "/api/session", {"username": "\ud800", "password": "x"}),
        ("POST", "/api/setup", {"token": "\x00", "username": "li", "display_name": "李", "password": "x"}),
        ("POST", "/api/villages", {"names": ["\u200b\u202e"]}),
        ("POST", "/api/villages", {"names": ["东\ud800"]}),
        ("POST", "/api/rtsp-out/tokens", {"name": "x", "expires_at": AT_THE_END_OF_TIME}),
        ("POST", "/api/rtsp-out/tokens", {"name": "x", "expires_at": "0001-01-01T00:00:00+14:00"}),
        ("POST", "/api/rtsp-out/tokens", {"name": "x", "expires_at": 1e300}),
        ("POST", "/api/devices/url", {"village_id": 1, "name": "x", "main_url": "rtsp://192.0.2.1/\x00"}),
        ("POST", "/api/notices/channels", {"name": "x", "url": "http://192.0.2.1/\x00"}),
        ("POST", "/api/viewers", {"page": "page-0001", "relay": 2**63, "sdp": ""}),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_is_out_of_bounds_is_refused(hub: Hub, method: str, path: str, body: JsonSchema | None) -> None:
    browser: httpx.AsyncClient = await hub.client(Role.TOWNSHIP_ADMIN)
    content = None if body is None else json.dumps(body)
    answer = await browser.request(method, path, content=content, headers={"content-type": "application/json"})
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"] == "invalid"


async def test_names_are_kept_as_they_are_seen(hub: Hub) -> None:
    browser = await hub.client(Role.TOWNSHIP_ADMIN)
    answer = await browser.post("/api/villages", json={"names": ["\u202e西\u200b沟\u3164 ", "cafe\u0301"]})
    assert [village["name"] for village in answer.json()][-2:] == ["西沟", "caf\u00e9"]
