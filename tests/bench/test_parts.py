"""The pure parts of the bench: counting, costs, /proc, SDP, lines."""

import io
import json

import pytest

from camera_hub.bench.check import Check, Checked
from camera_hub.bench.counting import Counts, Stream, counts
from camera_hub.bench.figures import Expected, Reading, checked_fields, cost_ratio, ratios, window
from camera_hub.bench.lines import Lines
from camera_hub.bench.meter import Machine, Stat, Usage, family, parse_machine, parse_stat
from camera_hub.bench.sdp import Local, Remote, read_answer, write_offer
from camera_hub.errors import HubError
from camera_hub.relay.webrtc.answer import Ssrcs, Transport, write_answer
from camera_hub.relay.webrtc.offer import read_offer


def take(stream: Stream, *sequences: int) -> Stream:
    """What the receive loop does: packets in order by itself, others by the slow way."""
    for sequence in sequences:
        if sequence == stream.next:
            stream.next = (sequence + 1) & 0xFFFF
            stream.packets += 1
            stream.bytes += 100
        else:
            stream.out_of_order(sequence, 100, False)
    return stream


def figures(stream: Stream) -> tuple[int, int, int, int]:
    return stream.packets, stream.lost, stream.late, stream.repeated


def test_a_wrap_is_no_loss() -> None:
    assert figures(take(Stream(65_534), 65_534, 65_535, 0, 1)) == (4, 0, 0, 0)


def test_a_hole_is_lost_until_it_is_filled_late() -> None:
    stream = take(Stream(65_534), 65_534, 2)
    assert figures(stream) == (2, 3, 0, 0)
    assert figures(take(stream, 0, 65_535)) == (4, 1, 2, 0)
    assert figures(take(stream, 0)) == (4, 1, 2, 1), "what was filled once is a repeat the second time"
    assert figures(take(stream, 3)) == (5, 1, 2, 1)


def test_a_repeated_packet_hides_no_loss() -> None:
    stream = take(Stream(10), 10, 11, 11, 13)
    assert figures(stream) == (3, 1, 0, 1)


def test_counts_leave_headers_and_tags_out_and_subtract_by_stream() -> None:
    one, other = take(Stream(0), 0, 1), take(Stream(0), 0)
    one.frames, other.overhead = 2, 8
    before = counts([("1/a", one)], 16, foreign=1, dropped=0)
    assert (before.packets, before.payload) == (2, 2 * (100 - 12 - 16))
    take(one, 2, 4)
    one.frames = 5
    since = counts([("1/a", one), ("2/b", other)], 16, foreign=1, dropped=7) - before
    assert since == Counts(3, 3 * 72 - 8, 3, 1, 0, 0, 0, 7, {"1/a": 3, "2/b": 0})
    assert since.loss == 0.25
    assert Counts().loss == 0.0
    assert (since + since).per_stream == {"1/a": 6, "2/b": 0}


def reading(at: float, cpu: Usage, counted: Counts, machine: Machine) -> Reading:
    return Reading(at, cpu, Usage(), Usage(at / 10, 0), machine, counted)


def test_costs_are_cpu_time_over_what_arrived() -> None:
    before = reading(100, Usage(5, 5), Counts(packets=10, payload=10), Machine(50, 50, 0, 0))
    counted = Counts(packets=1010, payload=10 + 1_250_000, frames=250, lost=10, per_stream={"a": 125, "b": 250})
    after = reading(110, Usage(5.6, 5.4), counted, Machine(65, 55, 1, 0.5))
    fields = window(before, after, Expected(bit_rate=500_000, fps=25), tracks=2)
    assert fields["cpu_ms_per_mbit"] == pytest.approx(100)
    assert fields["cpu_ms_per_mbit_user"] == pytest.approx(60)
    assert fields["cpu_ms_per_mbit_system"] == pytest.approx(40)
    assert fields["cpu_us_per_packet"] == pytest.approx(1000)
    assert fields["cpu_percent"] == pytest.approx(10)
    assert fields["clients_percent"] == pytest.approx(10)
    assert fields["delivered_mbit"] == pytest.approx(1)
    assert fields["delivered_share"] == pytest.approx(1)
    assert fields["machine_percent"] == pytest.approx(75)
    assert fields["ksoftirqd_percent"] == pytest.approx(5)
    assert fields["loss"] == pytest.approx(10 / 1010)
    assert (fields["tracks_silent"], fields["fps_min"]) == (0, 12.5)
    missing = window(before, after, Expected(500_000, 25), tracks=3)
    assert (missing["tracks_silent"], missing["fps_min"]) == (1, 0.0), "a track that never came is not forgotten"


def test_nothing_delivered_has_no_cost_and_no_ratio() -> None:
    still = reading(0, Usage(), Counts(), Machine(0, 0, 0, 0))
    nothing = window(still, reading(1, Usage(1, 1), Counts(), Machine(1, 1, 0, 0)), Expected(1e6, 25), 1)
    assert nothing["cpu_ms_per_mbit"] is None
    assert nothing["cpu_us_per_packet"] is None
    assert cost_ratio({"cpu_ms_per_mbit": 1.0}, nothing) is None
    assert cost_ratio(nothing, {"cpu_ms_per_mbit": 1.0}) is None
    assert ratios({"cpu_ms_per_mbit": 1.0}, {"aiortc": {"cpu_ms_per_mbit": 4.0}, "janus": {"missing": "…"}}) == {
        "ratio_to_aiortc": 0.25,
        "ratio_to_janus": None,
    }


def test_a_process_may_call_itself_anything() -> None:
    line = "17 (a) b (c)) S 4 17 17 0 -1 4194304 1 2 3 4 150 50 30 20 20 0 3 0 99 1000 10"
    stat = parse_stat(line)
    assert (stat.parent, stat.name) == (4, "a) b (c)")
    assert (stat.usage.user, stat.usage.system) == (1.8, 0.7), "children that ended count"


def test_a_family_is_everything_below_its_roots() -> None:
    parents = {1: 0, 10: 1, 11: 10, 12: 11, 20: 1}
    stats = {pid: Stat(parent, "", Usage()) for pid, parent in parents.items()}
    assert family(stats, [10, 99]) == {10, 11, 12}


def test_the_machines_line() -> None:
    machine = parse_machine("cpu  100 0 50 800 50 0 25 25 0 0\ncpu0 …", 1.5)
    assert (machine.busy, machine.idle, machine.stolen, machine.kernel) == (2.0, 8.5, 0.25, 1.5)
    assert machine.share(machine) == 0.0


LOCAL = Local("ab12", "secret-of-the-client", "sha-256 AA:BB", "127.0.0.1", 5004)


def test_the_hub_reads_the_offer_and_the_client_its_answer() -> None:
    offer = read_offer(write_offer(LOCAL, 16))
    assert len(offer.sections) == 16
    assert all(
        section.types is not None and section.types.by_codec == {"h264": (102, 103)} for section in offer.sections
    )
    transport = Transport("u", "p", "sha-256 CC:DD", ("192.0.2.1", "127.0.0.1"), 8189)
    answer = write_answer(offer, transport, dict.fromkeys(range(16), Ssrcs(1, 2)), 1)
    assert read_answer(answer) == Remote("u", "p", (("sha-256", "CC:DD"),), "127.0.0.1", 8189)


@pytest.mark.parametrize(
    ("line", "instead", "words"),
    [
        ("a=setup:passive", "a=setup:active", "DTLS client"),
        ("H264/90000", "VP8/90000", "H.264"),
        ("a=ice-pwd:p", "a=x", "credentials"),
        ("udp 1 127.0.0.1", "tcp 1 127.0.0.1", "candidate"),
    ],
)
def test_an_answer_that_cannot_be_used_says_why(line: str, instead: str, words: str) -> None:
    answer = (
        "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 102\r\na=rtpmap:102 H264/90000\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\n"
        "a=fingerprint:sha-256 AA\r\na=setup:passive\r\na=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n"
    )
    assert read_answer(answer).port == 9
    with pytest.raises(HubError, match=words):
        read_answer(answer.replace(line, instead))


def test_lines_are_json_of_four_digits_each_on_its_own() -> None:
    out = io.StringIO()
    lines = Lines(out)
    lines.write({"a": 1 / 3, "b": [123456.0], "c": {"d": None, "e": 123456}})
    lines.write({"bench": "relay"})
    assert [json.loads(line) for line in out.getvalue().splitlines()] == [
        {"a": 0.3333, "b": [123500.0], "c": {"d": None, "e": 123456}},
        {"bench": "relay"},
    ]


class Unlocked:
    """An SRTP session that takes whatever does not start with a zero."""

    def unprotect(self, packet: bytes) -> bytes:
        import pylibsrtp

        if packet[0] == 0:
            raise pylibsrtp.Error("authentication failure")
        return packet


def test_garbage_never_passes_the_spot_check() -> None:
    check = Check()
    check.add(bytes(100))
    check.add(b"\x80\xe6" + bytes(10) + b"\x65" + bytes(40))
    found = check.result(Unlocked())  # type: ignore[arg-type]
    assert (found.packets, found.decrypted, found.decoded) == (2, 1, 0)
    assert not found.good
    assert checked_fields(found)["decrypts"] is False
    assert not Checked().good, "nothing checked is not good"
    assert Checked(packets=2, decrypted=2, frames=1, decoded=1).good
