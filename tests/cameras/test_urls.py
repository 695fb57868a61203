"""What is dialled and what is not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_hub.cameras import urls
from camera_hub.errors import HubError, Reason

REFUSED = [
    "",
    " ",
    "/etc/passwd",
    "etc/passwd",
    "file:///etc/passwd",
    "FILE:///etc/passwd",
    "file://localhost/etc/passwd",
    "concat:a|b",
    "concat:rtsp://192.168.1.64/x",
    "subfile,,start,0,end,1,,:/etc/passwd",
    "data:text/plain,x",
    "lavfi:testsrc",
    "pipe:0",
    "fd:0",
    "cache:rtsp://192.168.1.64/",
    "crypto:rtsp://192.168.1.64/",
    "exec:ffmpeg -i x",
    "exec://ffmpeg",
    "echo:rtsp://x",
    "expr:1+1",
    "ffmpeg:rtsp://192.168.1.64/",
    "tcp://192.168.1.64:554",
    "udp://192.168.1.64:554",
    "rtp://192.168.1.64:554",
    "rtmp://192.168.1.64/x",
    "http://192.168.1.64/stream",
    "https://192.168.1.64/stream",
    "httpproxy://192.168.1.64",
    "ftp://192.168.1.64/x",
    "gopher://192.168.1.64/x",
    "javascript:alert(1)",
    "0",
    "/dev/video0",
    "v4l2:///dev/video0",
    "rtsp",
    "rtsp:",
    "rtsp:/",
    "rtsp://",
    "rtsp:///stream",
    "rtsp:192.168.1.64/x",
    "rtsp:/192.168.1.64/x",
    "rtsp://:554/x",
    "rtsp://user:pass@/x",
    "-rtsp://192.168.1.64/x",
    "--input=rtsp://192.168.1.64/x",
    "rtsp://-i/x",
    "rtsp://--help/x",
    "rtsp://a..b/x",
    "rtsp://.a/x",
    "rtsp://a-/x",
    "rtsp://a b/x",
    "rtsp://192.168.1.64/a b",
    " rtsp://192.168.1.64/x",
    "rtsp://192.168.1.64/x\n",
    "rtsp://192.168.1.64/a\r\nX-Header: y",
    "rtsp://192.168.1.64/a\x00b",
    "rtsp://192.168.1.64/a\tb",
    "rtsp://192.168.1.64\\@evil.test/x",
    "rtsp://１９２.168.1.64/x",
    "rtsp://exаmple.test/x",
    "rtsp://ⓔxample.test/x",
    "rtsp://192.168.1.64%00.evil.test/x",
    "rtsp://a%2fb/x",
    "rtsp://192.168.1.64:0/x",
    "rtsp://192.168.1.64:99999/x",
    "rtsp://192.168.1.64:-1/x",
    "rtsp://192.168.1.64:abc/x",
    "rtsp://192.168.1.64:554:554/x",
    "rtsp://2130706433/x",
    "rtsp://0x7f000001/x",
    "rtsp://0x7f.1/x",
    "rtsp://127.1/x",
    "rtsp://0.0.0.0/x",
    "rtsp://0.1.2.3/x",
    "rtsp://169.254.169.254/x",
    "rtsp://224.0.0.1/x",
    "rtsp://239.255.255.250/x",
    "rtsp://255.255.255.255/x",
    "rtsp://[::]/x",
    "rtsp://[ff02::c]/x",
    "rtsp://[fe80::1]/x",
    "rtsp://[fe80::1%eth0]/x",
    "rtsp://[::ffff:169.254.169.254]/x",
    "rtsp://[::1/x",
    "rtsp://u:p%0d%0a@192.168.1.64/x",
]


@pytest.mark.parametrize("text", REFUSED)
def test_a_bad_address_is_refused(text: str) -> None:
    with pytest.raises(HubError) as caught:
        urls.stream_url(text)
    assert caught.value.reason == "bad_url"


@pytest.mark.parametrize(
    ("text", "url", "port"),
    [
        ("rtsp://192.168.1.64/a", "rtsp://192.168.1.64/a", 554),
        ("rtsp://u:p@192.168.1.64:8554/a?b=1&c=2", "rtsp://192.168.1.64:8554/a?b=1&c=2", 8554),
        ("RTSP://Camera-1.village.lan/a", "rtsp://camera-1.village.lan/a", 554),
        ("rtsps://10.0.0.1/a#frag", "rtsps://10.0.0.1/a", 322),
        ("rtsp://[2001:db8::1]:554/a", "rtsp://[2001:db8::1]:554/a", 554),
        ("rtsp://10.0.0.1", "rtsp://10.0.0.1", 554),
    ],
)
def test_a_good_address_is_kept_without_its_login(text: str, url: str, port: int) -> None:
    found = urls.stream_url(text)
    assert (found.url, found.port) == (url, port)


def test_a_login_with_special_characters_is_decoded() -> None:
    found = urls.stream_url("rtsp://admin:p%40s%3As%2F1@10.0.0.1/a")
    assert (found.username, found.password) == ("admin", "p@s:s/1")
    assert "p@s" not in repr(found)


@pytest.mark.parametrize(
    ("answered", "url"),
    [
        ("rtsp://192.168.1.64/a", "rtsp://10.9.9.9/a"),
        ("rtsp://192.168.1.64:8554/a?x=1", "rtsp://10.9.9.9:8554/a?x=1"),
        ("rtsp://192.168.1.64:554:554/a", "rtsp://10.9.9.9:554/a"),
        ("rtsp://admin:pw@169.254.0.1:554/a", "rtsp://10.9.9.9:554/a"),
        ("rtsp://127.0.0.1/a", "rtsp://10.9.9.9/a"),
        ("rtsp://[fe80::1]:554/a", "rtsp://10.9.9.9:554/a"),
        ("  rtsp://192.168.1.64/a\n", "rtsp://10.9.9.9/a"),
        ("rtsp:///a", "rtsp://10.9.9.9/a"),
    ],
)
def test_an_answered_address_is_put_onto_the_device(answered: str, url: str) -> None:
    assert urls.onto(answered, "10.9.9.9").url == url


@pytest.mark.parametrize(
    "answered",
    ["", "file:///etc/passwd", "http://1.2.3.4/a", "rtsp://1.2.3.4:70000/", "-i rtsp://x/", "rtsp://1.2.3.4/\\"],
)
def test_an_answered_address_that_is_none_is_a_bad_reply(answered: str) -> None:
    with pytest.raises(HubError) as caught:
        urls.onto(answered, "10.9.9.9")
    assert caught.value.reason == Reason.BAD_REPLY


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_whatever_a_device_answers_no_other_host_is_dialled(text: str) -> None:
    try:
        found = urls.onto(f"rtsp://{text}", "10.9.9.9")
    except HubError:
        return
    assert found.host == "10.9.9.9"
    assert urls.stream_url(found.url).host == "10.9.9.9"


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_a_service_path_is_a_path_and_nothing_else(text: str) -> None:
    path = urls.service_path(f"http://192.168.1.64{text}", "/default")
    assert path.startswith("/")
    assert "\r" not in path
    assert "\n" not in path
    assert " " not in path


@pytest.mark.parametrize("text", ["-h", "a b", "", "1.2.3.4.5", "0", "::", "cam\nera", "224.0.0.1", "a/b", "u@h"])
def test_a_bad_host_is_refused(text: str) -> None:
    with pytest.raises(HubError) as caught:
        urls.host(text)
    assert caught.value.reason == "bad_host"


@pytest.mark.parametrize(
    ("text", "url", "login"),
    [
        # case 33, and its kind: raw characters in a password
        ("rtsp://admin:p@ss#1@192.168.1.64:554/live", "rtsp://192.168.1.64:554/live", ("admin", "p@ss#1")),
        ("rtsp://admin:p/ss@192.168.1.64/live", "rtsp://192.168.1.64/live", ("admin", "p/ss")),
        ("rtsp://admin:p?s=1@192.168.1.64/live", "rtsp://192.168.1.64/live", ("admin", "p?s=1")),
        ("rtsp://admin:a:b@c:d@192.168.1.64/live", "rtsp://192.168.1.64/live", ("admin", "a:b@c:d")),
        ("rtsp://admin:@@192.168.1.64", "rtsp://192.168.1.64", ("admin", "@")),
        ("rtsp://admin:#@camera.village/live", "rtsp://camera.village/live", ("admin", "#")),
        ("rtsp://admin:p@ss#1@camera.village/live", "rtsp://camera.village/live", ("admin", "p@ss#1")),
        ("rtsp://admin@192.168.1.64/live", "rtsp://192.168.1.64/live", ("admin", "")),
        ("rtsp://:pw@192.168.1.64/live", "rtsp://192.168.1.64/live", ("", "pw")),
        ("rtsp://admin:p%ss@[2001:db8::1]:554/live", "rtsp://[2001:db8::1]:554/live", ("admin", "p%ss")),
        # an "@" of the path
        ("rtsp://admin:pw@192.168.1.64/live@home/1", "rtsp://192.168.1.64/live@home/1", ("admin", "pw")),
        ("rtsp://192.168.1.64/user@10.0.0.1/1", "rtsp://192.168.1.64/user@10.0.0.1/1", ("", "")),
        ("rtsp://192.168.1.64?user=a@b", "rtsp://192.168.1.64?user=a@b", ("", "")),
        # the host in its one form
        ("rtsp://[::ffff:192.168.1.64]/live", "rtsp://192.168.1.64/live", ("", "")),
        ("rtsp://[2001:DB8:0::1]/live", "rtsp://[2001:db8::1]/live", ("", "")),
        ("rtsp://192.168.1.64:/live", "rtsp://192.168.1.64/live", ("", "")),
    ],
)
def test_the_host_follows_the_login_however_that_is_typed(text: str, url: str, login: tuple[str, str]) -> None:
    found = urls.stream_url(text)
    assert (found.url, (found.username, found.password)) == (url, login)


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://admin:p@ss/1@192.168.1.64:554/live",
        "rtsp://admin/s3cret@192.168.1.64/live",
        "rtsp://admin:12/s3cret@192.168.1.64/live",
        "rtsp://admin:x@1.2.3.4/s3cret@10.0.0.1/live",
        "rtsp://camera.village/s3cret@other.village/live",
        "rtsp://admin:s3cret@",
        "rtsp://admin:s3cret@/live",
        "rtsp://admin:s3cret@host:99999/live",
        "rtsp://admin:s3cret@@/live",
        "rtsp://" + "s3cret@" * 40 + "192.168.1.64/live",
    ],
)
def test_a_login_that_can_be_read_in_two_ways_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(HubError) as caught:
        urls.stream_url(text)
    assert caught.value.reason == "bad_url"
    assert "in their own fields" in caught.value.detail
    assert "s3cret" not in caught.value.detail + str(caught.value.params)
    assert "p@ss" not in caught.value.detail


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://192.168.1.64/" + "a" * 65536,
        "rtsp://" + "u" * 65536 + "@192.168.1.64/",
        "rtsp://192.168.1.64/a%0d%0aX: y",
        "rtsp://192.168.1.64/a%00",
        "rtsp://192.168.1.64/a%7F",
        "rtsp://xn--e1awd7f.test\\x/",
        "rtsp://пример.test/x",
        "rtsp://192.168.1.64/\u202e",
    ],
)
def test_a_url_is_bounded_and_plain(text: str) -> None:
    with pytest.raises(HubError) as caught:
        urls.stream_url(text)
    assert caught.value.reason == "bad_url"
    assert len(caught.value.detail) < 300


@pytest.mark.parametrize(
    ("answered", "url"),
    [
        # case 28 and its kind
        ("rtsp://192.168.1.64:80:554/x", "rtsp://10.9.9.9:554/x"),
        ("rtsp://192.168.1.64:554:/x", "rtsp://10.9.9.9:554/x"),
        ("rtsp://192.168.1.64:8080:80:8554/x", "rtsp://10.9.9.9:8554/x"),
        ("rtsp://192.168.1.64/x\x00", "rtsp://10.9.9.9/x"),
        ("\r\n rtsp://192.168.1.64/x\r\n\x00\x00", "rtsp://10.9.9.9/x"),
        # case 11: IPv6 hosts without brackets
        ("rtsp://::ffff:192.168.1.63/x", "rtsp://10.9.9.9/x"),
        ("rtsp://::ffff:192.168.1.63:554/x", "rtsp://10.9.9.9:554/x"),
        ("rtsp://::ffff:192.168.1.63:80:8554/x", "rtsp://10.9.9.9:8554/x"),
        ("rtsp://fe80::1%eth0:8554/x", "rtsp://10.9.9.9:8554/x"),
        ("rtsp://fe80::a:1/x", "rtsp://10.9.9.9/x"),
        ("rtsp://2001:db8:0:0:0:0:0:1:9554/x", "rtsp://10.9.9.9:9554/x"),
    ],
)
def test_an_odd_address_of_a_device_is_repaired_and_that_is_told(answered: str, url: str) -> None:
    found = urls.onto(answered, "10.9.9.9")
    assert found.url == url
    assert found.repaired.endswith(f"→ {urls.redacted(url)}")
    assert found.repaired.startswith("rtsp://")
    assert len(found.repaired) <= 256


@pytest.mark.parametrize(
    "answered",
    [
        "rtsp://192.168.1.64/a",
        "rtsp://[::ffff:192.168.1.63]/a",
        "rtsp://[fe80::1]:554/a",
        "rtsp://admin:p/w@192.168.1.64:554/a",
    ],
)
def test_an_ordinary_address_needs_no_repair(answered: str) -> None:
    found = urls.onto(answered, "10.9.9.9")
    assert found.repaired == ""
    assert found.url.endswith("/a")


@pytest.mark.parametrize(
    "answered",
    [
        "rtsp://192.168.1.64:80:99999/x",
        "rtsp://192.168.1.64:554:0/x",
        "rtsp://192.168.1.64:abc/x",
        "rtsp://192.168.1.64:1234567/x",
        "rtsp://192.168.1.64/a\r\nb",
        "rtsp://192.168.1.64/a b",
        "rtsp://192.168.1.64/%0aX",
        "rtsp://192.168.1.64/" + "a" * 600,
        "rtsp://192.168.1.64/" + " " * 70000,
    ],
)
def test_an_odd_address_that_means_nothing_is_a_bad_reply(answered: str) -> None:
    with pytest.raises(HubError) as caught:
        urls.onto(answered, "10.9.9.9")
    assert caught.value.reason == Reason.BAD_REPLY
    assert len(caught.value.detail) < 200


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://192.168.1.64/Streaming/Channels/101", "rtsp://192.168.1.64/Streaming/Channels/101"),
        (
            "rtsp://192.168.1.64:554/cam/realmonitor?channel=1&subtype=0",
            "rtsp://192.168.1.64:554/cam/realmonitor?channel=1&subtype=0",
        ),
        ("rtsp://[2001:db8::1]/h264Preview_01_main", "rtsp://[2001:db8::1]/h264Preview_01_main"),
        # case 29: a login in the path or query
        ("rtsp://1.2.3.4/user=admin_password=s3cret_channel=1_stream=0.sdp", "rtsp://1.2.3.4/user…"),
        ("rtsp://1.2.3.4/live?user=admin&pwd=s3cret&channel=1", "rtsp://1.2.3.4/live?user=…&pwd=…&channel=1"),
        ("rtsp://1.2.3.4/live?u=boss&p=s3cret", "rtsp://1.2.3.4/live?u=…&p=…"),
        ("rtsp://1.2.3.4/live?s3cret", "rtsp://1.2.3.4/live?…"),
        ("rtsp://1.2.3.4/admin/s3cret/ch1?x=s3cret", "rtsp://1.2.3.4/admin…"),
        ("rtsp://1.2.3.4/%75ser=s3cret/s3cret", "rtsp://1.2.3.4/…"),
        ("rtsp://1.2.3.4/live/s3cret%2Ds3cret/1", "rtsp://1.2.3.4/live/…/1"),
        ("rtsp://1.2.3.4/openUrl/Ab3dE6gH9jK2mN5pQ8s3cret", "rtsp://1.2.3.4/openUrl/…"),
        ("rtsp://1.2.3.4/live/tlJwpbo6/1234/1", "rtsp://1.2.3.4/live/…/…/1"),
        ("rtsp://1.2.3.4/live/s3cret/1?channel=s3cret", "rtsp://1.2.3.4/live/…/1?channel=…"),
        ("rtsp://boss:s3cret@1.2.3.4:554/1", "rtsp://1.2.3.4:554/1"),
        ("not a url s3cret", "…"),
    ],
)
def test_a_shown_address_holds_no_login(url: str, shown: str) -> None:
    assert urls.redacted(url, "boss", "s3cret") == shown
    assert "s3cret" not in urls.redacted(url, "boss", "s3cret")


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab1:@/#?.[]%", max_size=24))
def test_whatever_a_login_holds_no_other_host_is_read(text: str) -> None:
    try:
        found = urls.stream_url(f"rtsp://admin:{text}@192.168.1.64/live")
    except HubError:
        return
    assert found.host == "192.168.1.64"
