"""What a lasting conversation takes for a refused login."""

import pytest

from camera_hub.cameras.http.messages import HttpReply
from camera_hub.cameras.onvif.lasting import refuses_login

ENVELOPE = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:ter="http://www.onvif.org/ver10/error" '
    'xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"><s:Body><s:Fault>'
    "<s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>{code}</s:Value></s:Subcode></s:Code>"
    '<s:Reason><s:Text xml:lang="en">{text}</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>'
)


def fault(code: str, text: str) -> bytes:
    return ENVELOPE.format(code=code, text=text).encode()


@pytest.mark.parametrize(
    ("status", "body", "refused"),
    [
        (200, fault("ter:NotAuthorized", "no"), False),
        (401, b"", True),
        (400, fault("ter:NotAuthorized", "Sender not authorized"), True),
        (500, fault("ter:FailedAuthentication", "x"), True),
        # Nothing but its namespaces speaks of a login: it does not know Timeout, or cannot stop.
        (400, fault("ter:InvalidArgVal", "Timeout is out of range"), False),
        (500, fault("ter:Action", "the camera cannot stop"), False),
        (500, b"wsse: access denied, but this is no envelope", False),
        (500, fault("ter:Action", "x" * 100_000 + " not authorized"), False),
    ],
)
def test_the_words_of_a_fault_decide(status: int, body: bytes, refused: bool) -> None:
    assert refuses_login(HttpReply(status, (("content-type", "application/soap+xml"),), body)) is refused
