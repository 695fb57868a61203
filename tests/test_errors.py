"""The one error: kinds with their status, reasons as stable codes."""

import pytest

from camera_hub.errors import HubError, Kind, Reason


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_status_that_is_an_error(kind: Kind) -> None:
    assert 400 <= kind.status <= 599


def test_no_two_kinds_share_a_status() -> None:
    assert len({kind.status for kind in Kind}) == len(Kind)


def test_the_body_is_what_a_page_translates() -> None:
    error = HubError(Kind.UNREACHABLE, "no answer", reason=Reason.PORT_CLOSED, port=554)
    assert str(error) == "no answer"
    assert error.body() == {
        "error": "unreachable",
        "reason": "port_closed",
        "detail": "no answer",
        "params": {"port": 554},
    }
    assert HubError(Kind.BUSY, "later").body()["reason"] == "busy"


@pytest.mark.parametrize("code", [*Kind, *Reason])
def test_codes_are_snake_case(code: Kind | Reason) -> None:
    assert code.value == code.value.lower()
    assert code.value.replace("_", "").isalnum()
    assert len(code.value) <= 32  # the columns that hold it
