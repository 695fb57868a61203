"""The vault seals for one device and one key."""

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


@pytest.mark.parametrize("content", [b"", b"not base64!", b"QUJD\n"])
def test_a_broken_key_file_is_refused_and_never_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "vault.key"
    path.write_bytes(content)
    path.chmod(0o400)
    with pytest.raises(HubError, match="no vault key"):
        Vault.open_or_create(path)
    assert path.read_bytes() == content
