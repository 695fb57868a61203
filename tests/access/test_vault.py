"""The vault seals for one device and one key."""

import base64
import stat
from pathlib import Path

import pytest

from camera_hub.access.vault import Vault
from camera_hub.errors import HubError, Kind


def test_what_is_sealed_opens_for_its_device() -> None:
    vault = Vault(bytes(32))
    sealed = vault.seal("pass:word@村", 7)
    assert vault.open(sealed, 7) == "pass:word@村"
    assert b"pass" not in sealed
    assert vault.seal("pass:word@村", 7) != sealed


@pytest.mark.parametrize("change", ["device", "key", "bytes", "empty", "short"])
def test_anything_else_does_not_open(change: str) -> None:
    vault, device = Vault(bytes(32)), 7
    sealed = vault.seal("secret", 7)
    match change:
        case "device":
            device = 8
        case "key":
            vault = Vault(b"\x01" * 32)
        case "bytes":
            sealed = sealed[:-1] + bytes([sealed[-1] ^ 1])
        case "empty":
            sealed = b""
        case "short":
            sealed = sealed[:5]
    with pytest.raises(HubError) as caught:
        vault.open(sealed, device)
    assert (caught.value.kind, caught.value.reason) == (Kind.UNAVAILABLE, "credential_locked")
    assert "secret" not in str(caught.value)


def test_the_newest_key_of_the_ring_seals_and_all_open() -> None:
    old, new = b"\x01" * 32, b"\x02" * 32
    before, ring = Vault(old), Vault(old, new)
    sealed = before.seal("secret", 7)
    assert ring.open(sealed, 7) == "secret"
    again = ring.seal("secret", 7)
    assert Vault(new).open(again, 7) == "secret"
    with pytest.raises(HubError):
        before.open(again, 7)
    with pytest.raises(HubError):
        ring.open(sealed, 8)


def test_keys_with_the_same_short_id_are_both_tried() -> None:
    keys = [number.to_bytes(32, "big") for number in range(600)]
    sealed = {key: Vault(key).seal("secret", 7) for key in keys}
    one, other = next((a, b) for a in keys for b in keys if a != b and sealed[a][:1] == sealed[b][:1])
    ring = Vault(one, other)
    assert (ring.open(sealed[one], 7), ring.open(sealed[other], 7)) == ("secret", "secret")


def test_a_key_is_added_by_a_line_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    sealed = Vault.open_or_create(path).seal("secret", 1)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + base64.b64encode(b"\x03" * 32) + b"\n")
    path.chmod(0o400)
    ring = Vault.open_or_create(path)
    assert ring.open(sealed, 1) == "secret"
    assert Vault(b"\x03" * 32).open(ring.seal("other", 1), 1) == "other"


def test_the_key_file_is_made_once_and_read_only_by_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "data" / "vault.key"
    sealed = Vault.open_or_create(path).seal("secret", 1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o400
    assert Vault.open_or_create(path).open(sealed, 1) == "secret"
    assert [entry.name for entry in path.parent.iterdir()] == ["vault.key"]


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    Vault.open_or_create(path)
    path.chmod(0o440)
    with pytest.raises(HubError, match="chmod 400"):
        Vault.open_or_create(path)


@pytest.mark.parametrize("content", [b"", b"not base64!", b"QUJD\n", base64.b64encode(bytes(32)) + b"\nQUJD\n"])
def test_a_broken_key_file_is_refused_and_never_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "vault.key"
    path.write_bytes(content)
    path.chmod(0o400)
    with pytest.raises(HubError, match="does not contain valid vault keys"):
        Vault.open_or_create(path)
    assert path.read_bytes() == content
