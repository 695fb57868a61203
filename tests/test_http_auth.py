"""Challenges of devices: read in one pass, answered with the strongest scheme, Basic last and never after Digest."""

import base64
import hashlib
import sys
import time
from collections.abc import Callable
from functools import partial
from types import FrameType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from camera_hub.http_auth import (
    MAX_HEADER,
    MAX_HEADERS,
    MAX_WORDS,
    Authenticator,
    AuthOutcome,
    Challenge,
    _schemes,
    _words,
    digest,
    read_challenges,
    strongest,
)

DIGEST = 'Digest realm="a", nonce="n1"'
BASIC = 'Basic realm="a"'


def best(*headers: str) -> Challenge | None:
    return strongest(read_challenges(headers), basic=True)


def fields(authorization: str | None) -> dict[str, str]:
    assert authorization is not None
    return dict(part.split("=", 1) for part in authorization.removeprefix("Digest ").split(", "))


def test_md5_is_that_of_rfc_2617() -> None:
    challenge = Challenge(
        "digest",
        "testrealm@host.com",
        "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        qop=True,
        opaque="5ccc069c403ebaf9f0171e9517f40e41",
    )
    header = digest(challenge, "Mufasa", "Circle Of Life", "GET", "/dir/index.html", "0a4f113b", 1)
    assert 'response="6629fae49393a05397450978507c4ef1"' in header
    assert "qop=auth, nc=00000001" in header
    assert "algorithm" not in header


def test_sha256_is_that_of_rfc_7616() -> None:
    header = (
        'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256,'
        ' nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
    )
    challenge = best(header)
    assert challenge is not None
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    answer = digest(challenge, "Mufasa", "Circle of Life", "GET", "/dir/index.html", cnonce, 1)
    assert 'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"' in answer
    assert "algorithm=SHA-256" in answer


def test_a_session_algorithm_mixes_nonce_and_cnonce_into_the_secret() -> None:
    """Computed from the definition in RFC 7616 section 3.4.2."""

    def h(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    challenge = best('Digest realm="r", nonce="n", algorithm=MD5-sess, qop="auth"')
    assert challenge is not None
    a1 = h(f"{h('u:r:p')}:n:c")
    wanted = h(f"{a1}:n:00000002:c:auth:{h('GET:/x')}")
    answer = digest(challenge, "u", "p", "GET", "/x", "c", 2)
    assert f'response="{wanted}"' in answer
    assert "algorithm=MD5-sess" in answer


@pytest.mark.parametrize("joined", [False, True])
def test_the_strongest_challenge_is_taken_and_basic_last(joined: bool) -> None:
    md5, sha = 'Digest realm="a", nonce="m", qop="auth,auth-int"', 'Digest realm="a", nonce="s", algorithm=SHA-256'
    headers = [BASIC, md5, f"{sha}, stale=TRUE"]
    chosen = best(", ".join(headers)) if joined else best(*headers)
    assert chosen == Challenge("digest", "a", "s", "SHA-256", stale=True, names_algorithm=True)
    chosen = best(f"{BASIC}, {md5}") if joined else best(BASIC, md5)
    assert chosen == Challenge("digest", "a", "m", qop=True)
    assert best(BASIC) == Challenge("basic", "a")
    assert best('Digest realm="a", nonce="n", algorithm=SHA-512-256', "Bearer x", "Negotiate abc==") is None
    assert best('Digest realm="a", nonce="n", qop="auth-int"') is None


@pytest.mark.parametrize(
    ("header", "realm"),
    [
        ('Digest realm="Gate, Basic line", nonce="n1"', "Gate, Basic line"),
        ('Digest realm="Basic realm=\\"x\\", Basic y", nonce="n1"', 'Basic realm="x", Basic y'),
        ('Digest realm="a\\\\", nonce="n1"', "a\\"),
        ('DIGEST nonce="n1",realm="a b"', "a b"),
        ('digest\trealm = "a" ,, nonce = n1 ,', "a"),
        ('Digest realm="a" nonce="n1"', "a"),
        ("Digest realm=Gate Basic line, nonce=n1", "Gate"),
        ('Basic realm="b" Digest realm="a", nonce="n1"', "a"),
        ('Negotiate, NTLM abc=, Digest realm="a", nonce="n1"', "a"),
        ('Digest realm="a", nonce="n1", realm="other"', "a"),
        ('Digest realm="", nonce="n1"', ""),
        ('Digest realm="村口, Basic", nonce="n1"', "村口, Basic"),
        ('Digest realm="a", nonce="n1', "a"),
    ],
)
def test_schemes_are_read_outside_quotes_alone(header: str, realm: str) -> None:
    chosen = best(header)
    assert chosen is not None
    assert (chosen.scheme, chosen.realm, chosen.nonce) == ("digest", realm, "n1")


@pytest.mark.parametrize(
    "header",
    [
        'Digest realm="Gate, Basic line"',
        "Digest realm=Gate, Basic line, nonce=n1",
        'Bearer realm="Basic x"',
        '"Basic realm=x"',
        'x="Basic, Basic realm=x"',
        "Basicrealm=x",
        "Basic/1 realm=x",
    ],
)
def test_basic_within_something_else_gets_no_password(header: str) -> None:
    login = Authenticator("admin", "s3cret", basic=True)
    assert login.unauthorized([header]) is AuthOutcome.UNANSWERABLE
    assert login.authorization("DESCRIBE", "rtsp://x/", "c") is None


def test_control_characters_are_not_sent_back() -> None:
    assert best('Digest realm="a\r\nX: y", nonce="n1"') is None
    assert best('Digest realm="a", nonce="n1", opaque="\x00"') is None
    assert best('Digest realm="a",\r\n nonce="n1"') == Challenge("digest", "a", "n1")  # a folded header


def test_basic_is_never_answered_after_digest() -> None:
    login = Authenticator("u", "s3cret", basic=True)
    assert login.unauthorized([DIGEST]) is AuthOutcome.TRY
    assert login.unauthorized([BASIC]) is AuthOutcome.REFUSED  # it has seen the digest, which counts as a try there
    assert "Basic" not in str(login.authorization("GET", "/", "c"))
    login.accepted()
    assert login.unauthorized([BASIC]) is AuthOutcome.DOWNGRADED
    assert "Basic" not in str(login.authorization("GET", "/", "c"))

    later = Authenticator("u", "s3cret", basic=True, digest_seen=login.digest_seen)
    assert later.unauthorized([BASIC]) is AuthOutcome.DOWNGRADED
    assert later.authorization("GET", "/", "c") is None


@pytest.mark.parametrize(
    "unreadable",
    ['Digest realm="a", nonce="n", algorithm=SHA-512-256', f'Digest realm="{"a" * MAX_HEADER}", nonce="n"'],
)
def test_basic_beside_a_digest_that_cannot_be_answered_is_not_answered(unreadable: str) -> None:
    login = Authenticator("u", "s3cret", basic=True)
    assert login.unauthorized([unreadable, BASIC]) is AuthOutcome.UNANSWERABLE
    assert login.unauthorized([BASIC]) is AuthOutcome.DOWNGRADED
    assert login.authorization("GET", "/", "c") is None


def test_basic_is_answered_where_it_alone_is_offered_and_allowed() -> None:
    login = Authenticator("u", "s3cret", basic=True)
    assert login.unauthorized([BASIC]) is AuthOutcome.TRY
    assert login.authorization("GET", "/", "c") == "Basic " + base64.b64encode(b"u:s3cret").decode()
    assert login.unauthorized([BASIC]) is AuthOutcome.REFUSED
    assert Authenticator("u", "s3cret", basic=False).unauthorized([BASIC]) is AuthOutcome.UNANSWERABLE
    assert "s3cret" not in repr(login)


def test_nc_counts_from_1_for_each_nonce() -> None:
    login = Authenticator("u", "p", basic=False)

    def nc() -> str:
        return fields(login.authorization("GET", "/", "c"))["nc"]

    def challenge(nonce: str, stale: str = "false") -> AuthOutcome:
        return login.unauthorized([f'Digest realm="a", nonce="{nonce}", qop="auth", stale={stale}'])

    assert challenge("n1") is AuthOutcome.TRY
    assert [nc(), nc(), nc()] == ["00000001", "00000002", "00000003"]
    login.accepted()
    assert challenge("n2") is AuthOutcome.TRY  # a new nonce in mid-session says nothing of the password
    assert [nc(), nc()] == ["00000001", "00000002"]
    assert challenge("n2", "true") is AuthOutcome.TRY
    assert nc() == "00000003"  # the same nonce goes on


def test_a_login_is_refused_when_it_was_sent_and_never_accepted() -> None:
    login = Authenticator("u", "p", basic=False)
    assert login.unauthorized([DIGEST]) is AuthOutcome.TRY
    assert login.unauthorized(['Digest realm="a", nonce="n2"']) is AuthOutcome.REFUSED
    assert login.unauthorized(['Digest realm="a", nonce="n3", stale=true']) is AuthOutcome.TRY
    login.accepted()
    assert login.unauthorized(['Digest realm="a", nonce="n3"']) is AuthOutcome.REFUSED  # this request is not for us


@pytest.mark.parametrize("headers", [[], [DIGEST], [BASIC], ["Bearer x"], ['Digest realm="b", nonce="n9"'], [""]])
def test_a_401_to_what_a_fresh_challenge_signed_is_a_wrong_password_whatever_it_says(headers: list[str]) -> None:
    login = Authenticator("u", "p", basic=True)
    assert login.unauthorized([DIGEST]) is AuthOutcome.TRY
    assert login.authorization("GET", "/", "c") is not None
    assert login.unauthorized(headers) is AuthOutcome.REFUSED


def test_a_401_without_a_word_in_mid_session_is_asked_for_its_challenge() -> None:
    login = Authenticator("u", "p", basic=True)
    assert login.unauthorized([DIGEST]) is AuthOutcome.TRY
    assert login.authorization("GET", "/", "c") is not None
    login.accepted()
    assert login.unauthorized([]) is AuthOutcome.TRY
    assert login.authorization("GET", "/", "c") is None
    assert login.unauthorized([]) is AuthOutcome.UNANSWERABLE
    assert login.unauthorized(['Digest realm="a", nonce="n2"']) is AuthOutcome.TRY
    assert 'nonce="n2"' in str(login.authorization("GET", "/", "c"))
    assert login.unauthorized([]) is AuthOutcome.REFUSED


@pytest.mark.parametrize("stale", ["", ", stale=true"])
def test_whoever_challenges_anew_each_time_is_not_tried_for_ever(stale: str) -> None:
    login = Authenticator("u", "p", basic=True)
    tries = 0
    while login.unauthorized([f'Digest realm="a", nonce="n{tries}"{stale}']) is AuthOutcome.TRY:
        assert login.authorization("GET", "/", "c") is not None
        tries += 1
    assert tries == (2 if stale else 1)


def test_what_is_overlong_or_endless_is_not_read() -> None:
    long = 'Digest realm="a", nonce="{}"'
    assert best(long.format("n" * (MAX_HEADER - len(long) + 2))) is not None
    assert best(long.format("n" * MAX_HEADER)) is None
    assert best(*["Bearer x"] * (MAX_HEADERS - 1), DIGEST) is not None
    assert best(*["Bearer x"] * MAX_HEADERS, DIGEST) is None
    assert best(", ".join(["Bearer"] * (MAX_WORDS - 3) + [DIGEST])) is not None
    assert best(", ".join(["Bearer"] * (MAX_WORDS - 2) + [DIGEST])) is None


HOSTILE: list[Callable[[int], str]] = [
    lambda n: "a" * n,
    lambda n: "Digest " + "a" * n,
    lambda n: "Digest " + "a " * (n // 2),
    lambda n: "Digest " + "a= " * (n // 3),
    lambda n: "Digest " + "a=b" * (n // 3),
    lambda n: "Digest " + 'a="' * (n // 3),
    lambda n: "Digest " + 'a="b",' * (n // 6),
    lambda n: "Digest " + 'a="\\' * (n // 4),
    lambda n: 'Digest realm="' + "\\a" * (n // 2),
    lambda n: 'Digest realm="' + "\\" * n,
    lambda n: 'Digest realm="' + '\\"' * (n // 2),
    lambda n: 'Digest realm="' + "a" * n,
    lambda n: 'Digest realm="' + "a" * n + '"',
    lambda n: 'Digest realm="a", nonce="' + "n" * n + '"',
    lambda n: 'Digest realm="a", nonce="n", qop="' + "auth," * (n // 5) + '"',
    lambda n: 'Digest realm="a", nonce="n", qop="' + "," * n + '"',
    lambda n: 'Digest realm="a", nonce="n", algorithm=' + "MD5" * (n // 3),
    lambda n: "Digest realm" + " " * n + "=",
    lambda n: "Digest realm=" + " " * n,
    lambda n: "Digest" + " " * n,
    lambda n: " " * n,
    lambda n: "\t" * n,
    lambda n: "\r\n " * (n // 3),
    lambda n: "," * n,
    lambda n: ", " * (n // 2),
    lambda n: "=" * n,
    lambda n: "= " * (n // 2),
    lambda n: '"' * n,
    lambda n: '" ' * (n // 2),
    lambda n: '"a' * (n // 2),
    lambda n: "\\" * n,
    lambda n: '\\"' * (n // 2),
    lambda n: "Digest," * (n // 7),
    lambda n: "Digest " * (n // 7),
    lambda n: "Basic," * (n // 6),
    lambda n: 'Digest realm="a", nonce="n", ' * (n // 29),
    lambda n: 'Basic realm="a" Digest realm="b" ' * (n // 33),
    lambda n: "\x00" * n,
    lambda n: "村" * n,
    lambda n: "Digest " + "村=" * (n // 2),
    lambda n: "Digest " + "-_" * (n // 2) + "=",
    lambda n: "(" * n,
]


def cpu_seconds(work: Callable[[], object]) -> float:
    """Of this thread, the least of five: what other processes do does not count."""
    taken = []
    for _ in range(5):
        began = time.thread_time()
        work()
        taken.append(time.thread_time() - began)
    return min(taken)


def calls_of(work: Callable[[], object]) -> int:
    """Calls of Python and C functions: on an idle machine 10,000 of them take about a millisecond."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls


MOST_CALLS = 8 * MAX_HEADER
"""Of one header: under two milliseconds. Counted, since a tracer or a busy machine would spoil a time."""


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_header_is_read_in_few_steps(hostile: Callable[[int], str]) -> None:
    """16 kB once stalled the whole hub for 5.3 s. Full headers of the readable size, and of 64 kB."""

    def refused(*headers: str) -> None:
        Authenticator("u", "p", basic=True).unauthorized(headers)

    for header in (hostile(MAX_HEADER - 64), hostile(65_536)):
        assert calls_of(partial(refused, header)) <= MOST_CALLS
        assert calls_of(partial(refused, *[header] * 64)) <= MOST_CALLS * MAX_HEADERS


@pytest.mark.parametrize("hostile", HOSTILE)
def test_reading_grows_with_the_length_and_not_with_its_square(hostile: Callable[[int], str]) -> None:
    """Without the bound on length: sixteen times the text costs about sixteen times, not 256 times as much."""
    small, large = hostile(2048), hostile(32_768)
    assert cpu_seconds(lambda: list(_words(large))) <= 64 * cpu_seconds(lambda: list(_words(small))) + 0.002


TEXT = st.text(st.characters(exclude_characters="\x7f", min_codepoint=32, exclude_categories=["Cs"]), max_size=40)


@given(st.text(max_size=200) | st.from_regex(r'((Digest|Basic|realm|nonce|[=", \\])*)', fullmatch=True))
@example('Digest realm="Gate, Basic line", nonce="n1"')
def test_any_text_is_read_without_an_error_and_basic_only_where_it_is_a_scheme(header: str) -> None:
    login = Authenticator("u", "p-w", basic=True)
    outcome = login.unauthorized([header])
    signed = login.authorization("GET", "/", "c")
    assert (outcome is AuthOutcome.TRY) == (signed is not None)
    if signed is not None and signed.startswith("Basic"):
        assert "digest" not in [scheme for scheme, _ in _schemes(header)]
        assert "nonce=" not in header.lower().replace(" ", "").partition("basic")[2].partition('"')[0]


@given(realm=TEXT, nonce=TEXT.filter(bool), opaque=TEXT, tail=st.sampled_from(["", f", {BASIC}", ", Negotiate"]))
def test_quoted_texts_come_back_as_they_were(realm: str, nonce: str, opaque: str, tail: str) -> None:
    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    chosen = best(f"Digest realm={quoted(realm)}, nonce={quoted(nonce)}, opaque={quoted(opaque)}, qop=auth{tail}")
    assert chosen == Challenge("digest", realm, nonce, qop=True, opaque=opaque)
    answer = digest(chosen, "u", "p", "GET", "/", "c")
    assert f"realm={quoted(realm)}, nonce={quoted(nonce)}" in answer


def test_stale_is_believed_until_the_login_was_refused_all_the_same() -> None:
    fresh = 'Digest realm="a", nonce="n1"'
    stale = 'Digest realm="a", nonce="n2", stale=true'
    login = Authenticator("u", "p", basic=True)
    assert [login.unauthorized([one]) for one in (fresh, stale)] == [AuthOutcome.TRY] * 2
    login.accepted()
    assert login.stale_believed
    login = Authenticator("u", "p", basic=True)
    outcomes = [login.unauthorized([one]) for one in (fresh, stale, stale)]
    assert outcomes == [AuthOutcome.TRY, AuthOutcome.TRY, AuthOutcome.REFUSED]
    again = Authenticator("u", "p", basic=True, stale_believed=login.stale_believed)
    assert [again.unauthorized([one]) for one in (fresh, stale)] == [AuthOutcome.TRY, AuthOutcome.REFUSED]
