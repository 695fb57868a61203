"""Requests that Schemathesis derives from the API's own description: valid ones, and ones that break a single rule.

They are generated once, always the same, and played by every role on every database (test_fuzz.py).
"""

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode

AnyCase = Case[Any]
LAST = ("/api/session", "/api/users")
"""What takes the caller's own rights is played last."""
_REAL = re.compile(r"(^|_)(id|ids|cameras|village|camera|relay|run|before)$")
_HOSTS = {"host": "127.0.0.1", "main_url": "rtsp://127.0.0.1:9/a", "sub_url": "rtsp://127.0.0.1:9/b", "port": 9}
"""Nobody listens there: an invented host would be asked for at a name server, or on the network."""


@dataclass(frozen=True)
class Call:
    """One request. `valid`: it obeys the description."""

    case: AnyCase
    valid: bool

    @property
    def name(self) -> str:
        return str(self.case.operation.label)

    def parts(self) -> dict[str, Any]:
        """As httpx takes it. The body may be JSON that httpx would not write: NaN, half a character."""
        given_ = self.case.as_transport_kwargs(base_url="http://hub.test")
        headers = {
            name: str(value).encode("latin-1", "replace")
            for name, value in given_["headers"].items()
            if name.lower() in ("content-type", "accept")
        }
        content = given_.get("data")
        if "json" in given_:
            content = json.dumps(given_["json"]).encode()
        return {
            "method": given_["method"],
            "url": given_["url"],
            "params": given_.get("params") or None,
            "headers": headers,
            "content": content,
        }


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")
def _sdp(_: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


def calls(description: dict[str, Any], examples: int) -> list[Call]:
    """`examples` valid and as many invalid requests for each operation (fewer where there are not so many)."""
    schema = schemathesis.openapi.from_dict(description)
    operations: list[Any] = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]
    operations.sort(key=lambda one: (one.path.startswith(LAST), one.method.upper() == "DELETE"))
    return [call for operation in operations for call in _of(operation, examples)]


def _of(operation: Any, examples: int) -> Iterator[Call]:
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        for number, case in enumerate(_generated(operation, mode, examples)):
            if number % 2 == 0:
                _name_what_exists(case)
            if isinstance(case.body, dict):
                case.body = {key: _harmless(key, value) for key, value in case.body.items()}
            yield Call(case, mode is GenerationMode.POSITIVE)


def _generated(operation: Any, mode: GenerationMode, examples: int) -> list[AnyCase]:
    cases: list[AnyCase] = []

    @hypothesis.settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(mode))
    def collect(case: AnyCase) -> None:
        cases.append(case)

    with contextlib.suppress(Unsatisfiable):  # without a parameter or body nothing can be wrong
        collect()
    return cases


def _name_what_exists(case: AnyCase) -> None:
    """Use the ids of rows that are there, so that the request reaches what lies behind."""
    for values in (case.path_parameters, case.query):
        for name, value in list((values or {}).items()):
            if _REAL.search(name) and isinstance(value, int):
                values[name] = 1
    if isinstance(case.body, dict):
        case.body = {key: _real(value) if _REAL.search(key) else value for key, value in case.body.items()}


def _real(value: Any) -> Any:
    if isinstance(value, list):
        return [_real(one) for one in value]
    return 1 if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31 else value


def _harmless(key: str, value: Any) -> Any:
    """Nothing is to be sent to a host that a random text names."""
    if key in _HOSTS and isinstance(value, type(_HOSTS[key])) and not isinstance(value, bool):
        return _HOSTS[key]
    return value
