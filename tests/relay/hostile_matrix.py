"""What hostile cameras do, by name, and how the open of each may end."""

import asyncio
import struct

from camera_hub.errors import Reason
from tests.relay.hostile_cameras import BASIC, DIGEST, Talk, frame, hostile, media, sdp


async def show(talk: Talk) -> None:
    await talk.say(media())


@hostile(Reason.REDIRECTED)
async def redirect(talk: Talk) -> None:
    asked = await talk.asked()
    await talk.answer(asked, f"Location: rtsp://{talk.canary}/steal\r\n", status="302 Moved")


@hostile(Reason.REDIRECTED)
async def redirect_after_the_login(talk: Talk) -> None:
    await talk.answer(await talk.asked(), DIGEST, status="401 Unauthorized")
    await talk.answer(await talk.asked(), f"Location: rtsp://{talk.canary}/steal\r\n", status="301 Moved")


@hostile(Reason.REDIRECTED)
async def redirect_of_setup(talk: Talk) -> None:
    await talk.answer(await talk.asked("SETUP"), f"Location: rtsp://{talk.canary}/\r\n", status="305 Use Proxy")


@hostile(Reason.STALLED, Reason.NO_MEDIA, live=True)
async def redirect_request(talk: Talk) -> None:
    await talk.play()
    await talk.say(f"REDIRECT {talk.url} RTSP/1.0\r\nCSeq: 5\r\nLocation: rtsp://{talk.canary}/steal\r\n\r\n")
    await show(talk)


@hostile(Reason.REPLY_TOO_LARGE)
async def giant_content_length(talk: Talk) -> None:
    asked = await talk.asked()
    await talk.say(f"RTSP/1.0 200 OK\r\nCSeq: {asked['cseq']}\r\nContent-Length: 1503238553\r\n\r\n")
    await talk.forever(b"x" * 65_536)


@hostile(Reason.BAD_REPLY)
async def negative_content_length(talk: Talk) -> None:
    asked = await talk.asked()
    await talk.say(f"RTSP/1.0 200 OK\r\nCSeq: {asked['cseq']}\r\nContent-Length: -5\r\n\r\n")


@hostile(Reason.TIMED_OUT)
async def body_that_never_ends(talk: Talk) -> None:
    asked = await talk.asked()
    await talk.say(f"RTSP/1.0 200 OK\r\nCSeq: {asked['cseq']}\r\nContent-Length: 130000\r\n\r\nv=0\r\n")


@hostile(Reason.TIMED_OUT)
async def drip(talk: Talk) -> None:
    await talk.asked()
    for byte in b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n" + b"X: y\r\n" * 1000:
        await talk.say(bytes([byte]))
        await asyncio.sleep(0.02)


@hostile(Reason.TIMED_OUT)
async def silence(talk: Talk) -> None:
    await talk.reader.read()


@hostile(Reason.REPLY_TOO_LARGE)
async def endless_header_line(talk: Talk) -> None:
    await talk.asked()
    await talk.say("RTSP/1.0 200 OK\r\nX: ")
    await talk.forever(b"a" * 65_536)


@hostile(Reason.REPLY_TOO_LARGE)
async def endless_header_lines(talk: Talk) -> None:
    await talk.asked()
    await talk.say("RTSP/1.0 200 OK\r\n")
    await talk.forever(b"X: y\r\n" * 1000)


@hostile(Reason.NO_MEDIA, Reason.STALLED)
async def wrong_framing(talk: Talk) -> None:
    await talk.play()
    await talk.say(frame(0, b"\x80\x60" + bytes(20))[:-3] + frame(0, bytes(30)) + b"\x00\x01garbage\x02" * 50)


@hostile(Reason.NOT_RTSP)
async def http(talk: Talk) -> None:
    await talk.asked()
    await talk.say("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>")


@hostile(Reason.TLS_NEEDED)
async def tls_on_a_plain_port(talk: Talk) -> None:
    await talk.asked()
    await talk.say(b"\x15\x03\x01\x00\x02\x02\x0a")


@hostile(Reason.NO_MEDIA)
async def length_that_is_too_short(talk: Talk) -> None:
    asked = await talk.asked()
    text = sdp()
    await talk.say(f"RTSP/1.0 200 OK\r\nCSeq: {asked['cseq']}\r\nContent-Length: 20\r\n\r\n{text}")


@hostile(Reason.NO_MEDIA)
async def length_that_is_too_long(talk: Talk) -> None:
    asked = await talk.asked()
    text = sdp()
    await talk.say(f"RTSP/1.0 200 OK\r\nCSeq: {asked['cseq']}\r\nContent-Length: {len(text) + 9000}\r\n\r\n{text}")


@hostile(Reason.TIMED_OUT)
async def interleaved_length_that_swallows_the_answer(talk: Talk) -> None:
    await talk.asked()
    await talk.say(b"$\x00\xff\xff" + b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n")


@hostile(Reason.BAD_REPLY)
async def sdp_bomb_of_streams(talk: Talk) -> None:
    await talk.answer(await talk.asked("DESCRIBE"), body="v=0\r\n" + "m=video 0 RTP/AVP 96\r\n" * 5000)


@hostile(Reason.NO_MEDIA, Reason.STALLED, live=True)
async def sdp_bomb_of_parameter_sets(talk: Talk) -> None:
    bomb = sdp().replace("sprop-parameter-sets=", "sprop-parameter-sets=" + "Z2QAKKw=,aO48gA==," * 5000)
    await talk.answer(await talk.asked("DESCRIBE"), body=bomb)
    await talk.play()
    await talk.say(media())


@hostile(Reason.NO_MEDIA, Reason.STALLED, live=True)
async def sdp_bomb_of_attributes(talk: Talk) -> None:
    await talk.answer(await talk.asked("DESCRIBE"), body=sdp() + "a=x:y\r\n" * 15_000)
    await talk.play()
    await talk.say(media())


@hostile(Reason.BAD_REPLY)
async def sdp_of_superscripts(talk: Talk) -> None:
    await talk.answer(await talk.asked("DESCRIBE"), body=sdp().replace("RTP/AVP 96", "RTP/AVP ²"))


@hostile(Reason.BAD_REPLY)
async def control_that_is_no_url(talk: Talk) -> None:
    await talk.answer(await talk.asked("DESCRIBE"), body=sdp("rtsp://[canary/1"))


@hostile(Reason.NO_MEDIA, Reason.STALLED, live=True)
async def control_at_the_canary(talk: Talk) -> None:
    await talk.answer(await talk.asked(), DIGEST, status="401 Unauthorized")
    await talk.answer(await talk.asked("DESCRIBE"), body=sdp(f"rtsp://{talk.canary}/steal"))
    await talk.play()
    await talk.say(media())


@hostile(Reason.NO_MEDIA, Reason.STALLED, live=True)
async def content_base_at_the_canary(talk: Talk) -> None:
    headers = f"Content-Base: rtsp://{talk.canary}/steal/\r\nContent-Location: rtsp://{talk.canary}/\r\n"
    await talk.answer(await talk.asked("DESCRIBE"), headers, sdp(head=f"a=control:rtsp://{talk.canary}/steal\r\n"))
    await talk.play()
    await talk.say(media())


@hostile(Reason.NO_MEDIA, Reason.STALLED, live=True)
async def transport_source_at_the_canary(talk: Talk) -> None:
    host, _, port = talk.canary.partition(":")
    asked = await talk.asked("SETUP")
    await talk.answer(
        asked,
        f"Transport: RTP/AVP/TCP;unicast;interleaved=0-1;source={host};destination={host};server_port={port}-{port}\r\n"
        "Session: 1\r\n",
    )
    await talk.play()
    await talk.say(media())


@hostile(Reason.NO_MEDIA)
async def udp_source_at_the_canary(talk: Talk) -> None:
    host, _, port = talk.canary.partition(":")
    await talk.answer(await talk.asked("SETUP"), status="461 Unsupported Transport")
    await talk.answer(
        await talk.asked("SETUP"),
        f"Transport: RTP/AVP;unicast;client_port=1-2;source={host};destination={host};server_port={port}-{port}\r\n"
        "Session: 1\r\n",
    )
    await talk.play()


@hostile(Reason.BAD_REPLY, Reason.WRONG_PASSWORD)
async def basic_after_a_digest(talk: Talk) -> None:
    await talk.answer(await talk.asked(), DIGEST, status="401 Unauthorized")
    while True:
        await talk.answer(await talk.asked(), BASIC, status="401 Unauthorized")


@hostile(Reason.BAD_REPLY, Reason.WRONG_PASSWORD)
async def basic_after_a_digest_was_accepted(talk: Talk) -> None:
    await talk.answer(await talk.asked(), DIGEST, status="401 Unauthorized")
    await talk.answer(await talk.asked())
    while True:
        await talk.answer(await talk.asked(), BASIC, status="401 Unauthorized")


@hostile(Reason.WRONG_PASSWORD)
async def ever_new_nonces(talk: Talk) -> None:
    for number in range(100):
        challenge = f'WWW-Authenticate: Digest realm="c", nonce="{number}", stale=true\r\n'
        await talk.answer(await talk.asked(), challenge, status="401 Unauthorized")


@hostile(Reason.BAD_REPLY, Reason.WRONG_PASSWORD)
async def challenges_that_take_long_to_read(talk: Talk) -> None:
    lines = ("WWW-Authenticate: Digest " + "a" * 8000 + "\r\n") * 60
    await talk.answer(await talk.asked(), lines, status="401 Unauthorized")


@hostile(Reason.BAD_REPLY)
async def realm_with_a_line_break(talk: Talk) -> None:
    challenge = 'WWW-Authenticate: Digest realm="a\rX-Smuggled: b", nonce="n"\r\n'
    await talk.answer(await talk.asked(), challenge, status="401 Unauthorized")


@hostile(Reason.BAD_REPLY)
async def session_with_a_line_break(talk: Talk) -> None:
    headers = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: a\rTEARDOWN\r\n"
    await talk.answer(await talk.asked("SETUP"), headers)


@hostile(Reason.BAD_REPLY)
async def answers_to_what_nobody_asked(talk: Talk) -> None:
    await talk.asked()
    for number in range(100, 3000):
        await talk.say(f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\nSession: hijacked\r\n\r\n")


@hostile(Reason.NO_MEDIA, Reason.STALLED, live=True)
async def another_session_in_each_answer(talk: Talk) -> None:
    await talk.answer(await talk.asked("SETUP"), "Session: first;timeout=1\r\n")
    await talk.answer(await talk.asked("PLAY"), "Session: hijacked;timeout=99999\r\n")
    await talk.say(media())


@hostile(Reason.BAD_REPLY)
async def flood_of_unknown_channels(talk: Talk) -> None:
    await talk.play()
    await talk.forever(frame(9, b"\x80\x6b" + bytes(200)) * 300)


@hostile(Reason.BAD_REPLY)
async def flood_before_the_first_answer(talk: Talk) -> None:
    await talk.asked()
    await talk.forever(frame(200, b"") * 3000)


@hostile(Reason.BAD_REPLY, Reason.TIMED_OUT)
async def ten_megabytes_of_dollars(talk: Talk) -> None:
    await talk.asked()
    for _ in range(160):
        await talk.say(b"$" * 65_536)


@hostile(Reason.REPLY_TOO_LARGE, live=True)
async def more_pictures_than_any_camera_sends(talk: Talk) -> None:
    await talk.play()
    await talk.forever(media())


@hostile(Reason.STALLED, Reason.TIMED_OUT)
async def requests_without_end_and_no_reading(talk: Talk) -> None:
    await talk.asked()
    await talk.forever(b"SET_PARAMETER rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\nX: " + b"y" * 7000 + b"\r\n\r\n")


@hostile(Reason.NO_MEDIA, Reason.STALLED, Reason.BAD_REPLY)
async def packets_that_are_none(talk: Talk) -> None:
    await talk.play()
    await talk.say(b"".join(frame(0, bytes([number]) * (number % 40)) for number in range(256)))


@hostile(Reason.NO_KEY_FRAME, Reason.STALLED)
async def fragments_without_end(talk: Talk) -> None:
    await talk.play()
    packet = struct.pack("!BBHII", 0x80, 96, 0, 1, 1) + b"\x7c\x85"
    await talk.say(frame(0, packet))
    for start in range(1, 30_000, 1000):
        await talk.say(
            b"".join(
                frame(0, struct.pack("!BBHII", 0x80, 96, number & 0xFFFF, 1, 1) + b"\x7c\x05")
                for number in range(start, start + 1000)
            )
        )


@hostile(Reason.NO_KEY_FRAME, Reason.STALLED, live=True)
async def parameter_sets_of_megabytes(talk: Talk) -> None:
    await talk.play()
    body = b"\x67\x64\x00\x28" + b"\xa6" * 3_000_000
    for place, payload in enumerate(pieces := [body[at : at + 60_000] for at in range(0, len(body), 60_000)]):
        flags = 0x80 * (place == 0) | 0x40 * (place == len(pieces) - 1)
        packet = struct.pack("!BBHII", 0x80, 96, place, 0, 1) + bytes([0x7C, flags | 7]) + payload
        await talk.say(frame(0, packet))
    await talk.say(media())


@hostile(Reason.UNREACHABLE)
async def hang_up_in_the_middle(talk: Talk) -> None:
    asked = await talk.asked()
    await talk.say(f"RTSP/1.0 200 OK\r\nCSeq: {asked['cseq']}\r\nContent-Length: 500\r\n\r\nv=0")
    talk.writer.transport.abort()


@hostile(Reason.BAD_REPLY)
async def status_that_is_none(talk: Talk) -> None:
    asked = await talk.asked()
    await talk.say(f"RTSP/1.0 2²0 OK\r\nCSeq: {asked['cseq']}\r\n\r\n")


@hostile(Reason.TIMED_OUT)
async def only_informational_answers(talk: Talk) -> None:
    await talk.asked()
    await talk.forever(b"RTSP/1.0 100 Continue\r\n\r\n" * 100)
