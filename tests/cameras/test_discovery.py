"""Ranges, probes and what answers them. No test here sends anything."""

import re
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from camera_hub.cameras.discovery import ranges
from camera_hub.cameras.discovery.interfaces import interfaces
from camera_hub.cameras.discovery.ws_discovery import KINDS, announced, probe, resolve
from camera_hub.errors import HubError

OURS = {"urn:uuid:ours"}


def _matches(
    *, relates: str = "urn:uuid:ours", xaddrs: str = "http://192.168.1.64/onvif/device_service", number: int = 1
) -> bytes:
    match = (
        "<d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:{}</a:Address></a:EndpointReference>"
        "<d:Types>dn:NetworkVideoTransmitter</d:Types>"
        "<d:Scopes>onvif://www.onvif.org/name/%E6%9D%91%E5%8F%A3 onvif://www.onvif.org/hardware/DS-2CD"
        " ONVIF://WWW.ONVIF.ORG/MAC/02-00-00-00-00-01 onvif://www.onvif.org/Profile/Streaming</d:Scopes>"
        f"<d:XAddrs>{xaddrs}</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch>"
    )
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
        ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
        ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery">'
        f"<s:Header><a:RelatesTo>{relates}</a:RelatesTo></s:Header><s:Body><d:ProbeMatches>"
        f"{''.join(match.format(n) for n in range(number))}</d:ProbeMatches></s:Body></s:Envelope>"
    ).encode()


@pytest.mark.parametrize(
    ("text", "spelled", "first", "last", "hosts"),
    [
        ("192.168.1.0/24", "192.168.1.0/24", "192.168.1.1", "192.168.1.254", 254),
        ("192.168.1.77/24", "192.168.1.0/24", "192.168.1.1", "192.168.1.254", 254),
        ("10.0.0.4/31", "10.0.0.4/31", "10.0.0.4", "10.0.0.5", 2),
        ("10.0.0.4/32", "10.0.0.4/32", "10.0.0.4", "10.0.0.4", 1),
        ("10.0.0.4", "10.0.0.4", "10.0.0.4", "10.0.0.4", 1),
        (" 10.0.0.4 - 10.0.0.9 ", "10.0.0.4-10.0.0.9", "10.0.0.4", "10.0.0.9", 6),
        ("10.0.0.4–10.0.1.3", "10.0.0.4-10.0.1.3", "10.0.0.4", "10.0.1.3", 256),
        ("10.0.0.4-9", "10.0.0.4-10.0.0.9", "10.0.0.4", "10.0.0.9", 6),
        ("10.0.0.0/20", "10.0.0.0/20", "10.0.0.1", "10.0.15.254", 4094),
    ],
)
def test_a_range_is_read(text: str, spelled: str, first: str, last: str, hosts: int) -> None:
    (one,) = ranges.parsed([text])
    assert (one.text, str(one.first), str(one.last), one.hosts) == (spelled, first, last, hosts)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "bad_range"),
        ("192.168.1", "bad_range"),
        ("192.168.1.0/33", "bad_range"),
        ("192.168.1.300", "bad_range"),
        ("192.168.1.9-192.168.1.3", "bad_range"),
        ("192.168.1.1-2-3", "bad_range"),
        ("camera.lan", "bad_range"),
        ("::1/120", "bad_range"),
        ("224.0.0.0/24", "bad_range"),
        ("169.254.1.0/24", "bad_range"),
        ("0.0.0.0", "bad_range"),
        ("0.0.0.0/0", "bad_range"),
        ("255.255.255.255", "bad_range"),
        ("10.0.0.0/19", "too_many_hosts"),
        ("10.0.0.0/8", "too_many_hosts"),
        ("9.0.0.0-223.0.0.0", "bad_range"),
    ],
)
def test_an_invalid_range_is_refused_and_not_replaced(text: str, reason: str) -> None:
    with pytest.raises(HubError) as caught:
        ranges.parsed([text])
    assert caught.value.reason == reason


def test_overlapping_ranges_are_counted_once_and_together_bounded() -> None:
    both = ranges.parsed(["10.0.0.0/24", "10.0.0.100-10.0.0.120"])
    assert len(ranges.addresses(both)) == 254
    with pytest.raises(HubError) as caught:
        ranges.parsed([f"10.0.{n}.0/24" for n in range(17)])
    assert caught.value.reason == "too_many_hosts"


@pytest.mark.parametrize("kind", KINDS)
def test_a_probe_is_soap_in_the_draft_namespaces(kind: str) -> None:
    root = etree.fromstring(probe("urn:uuid:x", kind))
    assert root.findtext("{*}Header/{*}Action") == "http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe"
    types = root.findtext("{*}Body/{*}Probe/{*}Types")
    assert types == {"nvt": "dn:NetworkVideoTransmitter", "device": "dn:Device", "any": None}[kind]
    assert b"urn:uuid:e" in resolve("urn:uuid:x", "urn:uuid:e")


def test_a_match_is_read_and_stands_where_it_was_sent_from() -> None:
    (one,) = announced(_matches(), "10.1.2.3", OURS)
    assert (one.host, one.port, one.path) == ("10.1.2.3", 80, "/onvif/device_service")
    assert (one.name, one.model, one.mac) == ("村口", "DS-2CD", "02:00:00:00:00:01")


@pytest.mark.parametrize(
    ("xaddrs", "port", "path"),
    [
        ("http://192.168.1.64:8899/onvif/device_service", 8899, "/onvif/device_service"),
        ("http://169.254.3.4/a http://10.1.2.3:8080/b", 8080, "/b"),
        ("http://[fe80::1]/a http://192.168.1.64:8000/b", 80, "/a"),
        ("http://127.0.0.1:22/x", 22, "/x"),
        ("", 80, "/onvif/device_service"),
        ("file:///etc/passwd", 80, "/onvif/device_service"),
        ("http://h:99999/x", 80, "/onvif/device_service"),
        ("http://192.168.1.64:80:80/onvif/d", 80, "/onvif/device_service"),
    ],
)
def test_the_door_that_answers_is_preferred_and_no_other_host_taken(xaddrs: str, port: int, path: str) -> None:
    (one,) = announced(_matches(xaddrs=xaddrs), "10.1.2.3", OURS)
    assert (one.host, one.port, one.path) == ("10.1.2.3", port, path)


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\x00\xff",
        b"<a/>",
        b"<s:Envelope/>",
        _matches(relates="urn:uuid:somebody-else"),
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + _matches().replace(b"DS-2CD", b"&x;"),
        b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + _matches().replace(b"DS-2CD", b"&b;"),
        _matches() + b" " * 70000,
        _matches().replace(b"urn:uuid:0", b"a b"),
        _matches()[:-20],
    ],
)
def test_what_is_foreign_broken_or_too_large_announces_nothing(datagram: bytes) -> None:
    assert announced(datagram, "10.1.2.3", OURS) == []


def _announcing(types: str, scopes: str = "", xaddrs: str = "http://10.1.2.3/x", spaces: str = "") -> bytes:
    whole = _matches(xaddrs=xaddrs).decode()
    whole = re.sub("<d:Types>.*?</d:Types>", f"<d:Types {spaces}>{types}</d:Types>", whole)
    return re.sub("<d:Scopes>.*?</d:Scopes>", f"<d:Scopes>{scopes}</d:Scopes>", whole).encode()


PUB = 'xmlns:wsdp="http://schemas.xmlsoap.org/ws/2006/02/devprof" xmlns:pub="http://schemas.microsoft.com/pub"'
ONVIF_DEVICE = 'xmlns:tds="http://www.onvif.org/ver10/device/wsdl"'


@pytest.mark.parametrize(
    ("datagram", "camera"),
    [
        (_announcing("wsdp:Device pub:Computer", spaces=PUB), False),
        (_announcing("wsdp:Device wprt:PrintDeviceType wscn:ScanDeviceType", spaces=PUB), False),
        (_announcing("wsdp:Device", "ldap:///ou=office", spaces=PUB), False),
        (_announcing("tds:Device"), True),
        (_announcing("x:Device", spaces=ONVIF_DEVICE.replace("tds", "x")), True),
        (_announcing("wsdp:Device tds:Device", spaces=f"{PUB} {ONVIF_DEVICE}"), True),
        (_announcing("dn:NetworkVideoTransmitter"), True),
        (_announcing("NetworkVideoTransmitter"), True),
        (_announcing("dn:NetworkVideoStorage"), True),
        (_announcing("wsdp:Device", "onvif://www.onvif.org/type/ptz", spaces=PUB), True),
        (_announcing("wsdp:Device", xaddrs="http://10.1.2.3/onvif/device_service", spaces=PUB), True),
        (_announcing("", ""), True),
    ],
)
def test_types_and_scopes_tell_cameras_from_computers_and_printers(datagram: bytes, camera: bool) -> None:
    assert bool(announced(datagram, "10.1.2.3", OURS)) is camera


@pytest.mark.parametrize(
    "relates", ["urn:uuid:ours", "uuid:ours", "ours", "URN:UUID:OURS", "Ours", " \n urn:uuid:OURS ", "uuid:{ours}"]
)
def test_a_message_is_ours_however_its_id_is_written(relates: str) -> None:
    assert len(announced(_matches(relates=relates), "10.1.2.3", OURS)) == 1


NAMED = _matches().decode().replace("%E6%9D%91%E5%8F%A3", "萳塝村")
WRITTEN = {
    "UTF-8": NAMED.encode(),
    "GBK declared UTF-8": b'<?xml version="1.0" encoding="UTF-8"?>' + NAMED.encode("gbk"),
    "GBK undeclared": NAMED.encode("gbk"),
    "GBK declared GB2312": b'<?xml version="1.0" encoding="gb2312"?>' + NAMED.encode("gbk"),
    "percent-encoded GBK": NAMED.replace("萳塝村", quote("萳塝村".encode("gbk"))).encode(),
    "percent-encoded UTF-8": NAMED.replace("萳塝村", quote("萳塝村")).encode(),
    "a trailing NUL": NAMED.encode() + b"\0",
    "blanks and a mark in front": b"\xef\xbb\xbf \r\n" + NAMED.encode(),
    "junk around it": b"\x01\xff\xfe\r\n" + NAMED.encode() + b"\r\n\xff\x00--",
    "UTF-16": NAMED.encode("utf-16"),
    "undeclared prefixes": re.sub(r' xmlns:(a|d)="[^"]*"', "", NAMED).encode(),
    "other versions of the namespaces": NAMED.replace("2004/08", "2005/08").replace("2005/04", "2009/01").encode(),
    "SOAP 1.1": NAMED.replace(
        "http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/"
    ).encode(),
    "a comment": NAMED.replace("<s:Body>", "<s:Body><!-- </s:Envelope> -->").encode(),
}


@pytest.mark.parametrize("datagram", WRITTEN.values(), ids=WRITTEN.keys())
def test_an_announcement_is_read_however_it_is_written(datagram: bytes) -> None:
    (one,) = announced(datagram, "10.1.2.3", OURS)
    assert (one.name, one.model, one.port) == ("萳塝村", "DS-2CD", 80)


def test_an_address_with_https_is_asked_over_tls() -> None:
    (one,) = announced(_matches(xaddrs="https://10.1.2.3:8443/onvif/device_service"), "10.1.2.3", OURS)
    assert (one.port, one.tls) == (8443, True)
    (one,) = announced(_matches(xaddrs="http://10.1.2.3:443/onvif/device_service"), "10.1.2.3", OURS)
    assert (one.port, one.tls) == (443, False)


def test_one_datagram_announces_a_bounded_number() -> None:
    assert len(announced(_matches(number=90), "10.1.2.3", OURS)) == 64


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 1200))
def test_no_datagram_breaks_the_reader(noise: bytes, place: int) -> None:
    whole = _matches()
    for one in announced(whole[:place] + noise + whole[place + len(noise) :], "10.1.2.3", OURS):
        assert one.host == "10.1.2.3"


def test_loopback_is_among_the_interfaces() -> None:
    assert ("127.0.0.1", "127.0.0.0/8") in {(one.address, one.network) for one in interfaces()}
