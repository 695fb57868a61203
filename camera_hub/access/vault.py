"""Sealing of camera passwords: AES-256-GCM with a key that lives in a 0400 file outside the database.

Sealed bytes: key id (1) · nonce (12) · ciphertext and tag. The device id is associated data, so a sealed password that
is moved to another device's row does not open.
"""

import base64
import binascii
import contextlib
import hashlib
import os
import stat
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from camera_hub.errors import HubError, Kind

_KEY_BYTES = 32
_NONCE_BYTES = 12


class Vault:
    """Seals and opens with one key; `key` is 32 random bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY_BYTES:
            raise ValueError(f"a vault key has {_KEY_BYTES} bytes")
        self._cipher = AESGCM(key)
        self._key_id = hashlib.sha256(b"camera hub vault key" + key).digest()[:1]

    @classmethod
    def open_or_create(cls, path: Path) -> Self:
        """The vault whose key is in `path`; a missing file is made with a fresh key, mode 0400. Raises HubError."""
        try:
            with contextlib.suppress(FileExistsError):
                _create(path)
            return cls(_read(path))
        except OSError as error:
            raise HubError(
                Kind.UNAVAILABLE, f"the key file {path} cannot be used: {error.strerror}", reason="key_file"
            ) from error

    def seal(self, text: str, device_id: int) -> bytes:
        """The sealed form of `text` for that device; another call gives other bytes."""
        nonce = os.urandom(_NONCE_BYTES)
        return self._key_id + nonce + self._cipher.encrypt(nonce, text.encode(), _data(device_id))

    def open(self, sealed: bytes, device_id: int) -> str:
        """The text. Raises HubError(UNAVAILABLE, "credential_locked") for another key or device, or altered bytes."""
        nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            if sealed[:1] != self._key_id:
                raise InvalidTag
            return self._cipher.decrypt(nonce, ciphertext, _data(device_id)).decode()
        except (InvalidTag, ValueError) as error:
            raise HubError(
                Kind.UNAVAILABLE,
                f"the login of device {device_id} does not open with this hub's key file; type its password again",
                reason="credential_locked",
                device_id=device_id,
            ) from error


def _data(device_id: int) -> bytes:
    return f"device:{device_id}".encode()


def _create(path: Path) -> None:
    """Write a fresh key beside `path` and link it there: whoever finds the file finds the whole key."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(os.urandom(_KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise HubError(
            Kind.UNAVAILABLE,
            f"the key file {path} can be read by other users; run: chmod 400 {path}",
            reason="key_file",
        )
    try:
        key = base64.b64decode(path.read_bytes().strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _KEY_BYTES:
        raise HubError(
            Kind.UNAVAILABLE, f"the key file {path} holds no vault key; restore it from the backup", reason="key_file"
        )
    return key
