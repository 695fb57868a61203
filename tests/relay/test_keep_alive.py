"""RTSP keep-alive: how often it is sent, and by which method."""

import pytest

from camera_hub.relay.rtsp.keep_alive import MAX_INTERVAL, REPORT_INTERVAL, KeepAlive
from camera_hub.relay.rtsp.message import Response


def response(status: int = 200, **headers: str) -> Response:
    return Response(status, "", {name: (value,) for name, value in headers.items()})


@pytest.mark.parametrize("timeout", [None, 0, 1, 3, 10, 60, 600, 99_999])
def test_a_keep_alive_is_sent_well_within_the_sessions_timeout(timeout: int | None) -> None:
    keep_alive = KeepAlive()
    keep_alive.set_timeout(timeout)
    step = keep_alive.report_interval
    sent = next(beat * step for beat in range(1, 100) if keep_alive.due(beat * step))
    assert 1.0 <= step <= REPORT_INTERVAL
    assert sent <= MAX_INTERVAL
    assert sent <= max(1.0, (timeout or 60) / 2)
    assert not keep_alive.due(0.0)


def test_get_parameter_is_used_where_the_camera_knows_it_and_until_it_refuses_it() -> None:
    keep_alive = KeepAlive()
    assert keep_alive.method == "OPTIONS"
    keep_alive.on_answer(response(public="OPTIONS, DESCRIBE"))
    assert keep_alive.method == "OPTIONS"
    keep_alive.on_answer(response(public="OPTIONS, GET_PARAMETER"))
    assert keep_alive.method == "GET_PARAMETER"
    keep_alive.on_answer(response(454))
    assert keep_alive.method == "GET_PARAMETER"
    keep_alive.on_answer(response(501))
    assert keep_alive.method == "OPTIONS"
