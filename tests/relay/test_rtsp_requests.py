"""What players ask for, and the description they get: values in, values out."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.relay.ingest.codecs import BY_NAME
from camera_hub.relay.messages import FeedSpec, RtspLiveSource
from camera_hub.relay.rtsp.video_sdp import parse_video
from camera_hub.relay.rtsp_server.sdp_writer import write_sdp
from camera_hub.relay.rtsp_server.stream_url import (
    StreamTarget,
    parse_target,
    presentation_url,
    token_of_login,
)
from camera_hub.relay.rtsp_server.transport_header import ClientPorts, InterleavedChannels, choose_transport
from tests.relay.clip import clip
from tests.relay.rtsp_player import TOKEN


@pytest.mark.parametrize(
    ("path", "target"),
    [
        (f"/{TOKEN}/5", StreamTarget(5, "main", TOKEN)),
        (f"/{TOKEN}/5/", StreamTarget(5, "main", TOKEN)),
        (f"/{TOKEN}/5/sub", StreamTarget(5, "sub", TOKEN)),
        (f"/{TOKEN}/5/main/track1?x=1", StreamTarget(5, "main", TOKEN)),
        (f"//{TOKEN}//5/track1", StreamTarget(5, "main", TOKEN)),
        ("/5", StreamTarget(5, "main")),
        ("/5/sub", StreamTarget(5, "sub")),
        ("/", None),
        ("", None),
        ("/0", None),
        ("/-5", None),
        ("/5五", None),
        ("/sub", None),
        (f"/{TOKEN}", None),
        (f"/{TOKEN.upper()}/5", None),
        (f"/{TOKEN}x/5", None),
        (f"/{TOKEN}/5/other", None),
        (f"/{TOKEN}/5/sub/main", None),
        (f"/{TOKEN}/9999999999", None),
    ],
)
def test_a_url_names_one_camera_or_nothing(path: str, target: StreamTarget | None) -> None:
    assert parse_target(f"rtsp://hub:8554{path}") == target


def test_a_target_does_not_show_its_token() -> None:
    assert TOKEN not in repr(parse_target(f"rtsp://hub/{TOKEN}/5"))


def test_a_source_does_not_show_its_login() -> None:
    """Case 29: some vendors put it into the path."""
    url = "rtsp://192.168.1.64:554/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp"
    shown = repr(FeedSpec("s1", RtspLiveSource(url, "192.168.1.64", 554, "admin", "tlJwpbo6")))
    assert "tlJwpbo6" not in shown


def test_the_answered_url_holds_neither_track_nor_login() -> None:
    assert presentation_url(f"rtsp://a:b@hub:8554/{TOKEN}/5/track1?x") == f"rtsp://hub:8554/{TOKEN}/5"
    assert presentation_url("rtsp://[::1]:8554/5/sub/") == "rtsp://[::1]:8554/5/sub"


def test_a_login_brings_the_token_as_its_password() -> None:
    def basic(text: str) -> str:
        return "Basic " + base64.b64encode(text.encode()).decode()

    assert token_of_login(basic(f"admin:{TOKEN}")) == TOKEN
    for other in ("", "Basic", "Basic !", basic("admin:12345"), basic(TOKEN), f"Digest {TOKEN}", "Basic " + "A" * 9999):
        assert token_of_login(other) is None


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("RTP/AVP/TCP;unicast;interleaved=0-1", InterleavedChannels(0, 1)),
        ("RTP/AVP/TCP;interleaved=4-5;mode=play", InterleavedChannels(4, 5)),
        ("RTP/AVP/TCP;unicast", InterleavedChannels(0, 1)),
        ("RTP/AVP;unicast;client_port=5000-5001", ClientPorts(5000, 5001)),
        ("RTP/AVP/UDP;unicast;client_port=5000", ClientPorts(5000, 5001)),
        ("RTP/AVP;multicast,RTP/AVP;unicast;client_port=5000-5001", ClientPorts(5000, 5001)),
        ("RTP/AVP;unicast;client_port=5000-5001;destination=10.0.0.9", ClientPorts(5000, 5001)),
        ("RTP/AVP;unicast;client_port=5000-5001;destination=10.0.0.8", None),
        ("RTP/AVP/TCP;interleaved=0-1;destination=10.0.0.8", None),
        ("RTP/AVP;unicast;client_port=22-23", None),
        ("RTP/AVP;unicast;client_port=65535", None),
        ("RTP/AVP;unicast;client_port=5000-99999", None),
        ("RTP/AVP;unicast", None),
        ("RTP/SAVP;unicast;client_port=5000-5001", None),
        ("RTP/AVP/TCP;interleaved=255-256", None),
        ("RTP/AVP/TCP;interleaved=3-3", None),
        ('RTP/AVP/TCP;interleaved=0-1;mode="RECORD"', None),
        ("RAW/RAW/UDP;unicast;client_port=5000-5001", None),
        ("", None),
    ],
)
def test_video_goes_to_the_player_itself_or_nowhere(
    header: str, wanted: InterleavedChannels | ClientPorts | None
) -> None:
    assert choose_transport(header, "10.0.0.9") == wanted


@given(st.text(max_size=200))
def test_whatever_is_asked_is_read_or_refused(text: str) -> None:
    target = parse_target(f"rtsp://{text}")
    assert target is None or target.camera > 0
    wanted = choose_transport(text, "10.0.0.9")
    assert wanted is None or wanted.rtp != wanted.rtcp
    assert token_of_login(text) is None or len(text) > 32


@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_a_description_is_read_back_as_it_was_meant(codec: str) -> None:
    parameters = clip(codec=codec).parameters()
    assert BY_NAME[codec].parameters_complete(parameters)
    assert not BY_NAME[codec].parameters_complete(parameters[1:])
    text = write_sdp(codec, parameters, session=7, ipv6=False)
    read = parse_video(text, "rtsp://hub/5")
    assert (read.codec, read.payload_type, read.control) == (codec, 96, "rtsp://hub/5/track1")
    assert read.parameters == parameters
    if codec == "h264":
        assert read.profile == parameters[0][1:4].hex().upper()
    assert "\r\n\r\n" not in text
