"""Encryption ("sealing") of device passwords: AES-256-GCM with keys from a file of mode 0400 outside the database.

The file is a key ring: one key per line, in base64, newest last. The newest key seals, every key opens: a new one can
be appended at any time, and an old one removed once nothing is sealed with it (access.key_rotation does both).

Sealed bytes: key id (1) · nonce (12) · ciphertext and tag. The owner is associated data, so that what was sealed for
one row cannot be opened in another one: a number for devices (negative for notice channels), a text for all else
("login profile:7").
"""

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from camera_hub.errors import HubError, Kind

Owner = int | str
"""Whose secret it is: the number of a device, or a text that names another kind of row and its number."""

_KEY_BYTES = 32
_NONCE_BYTES = 12


class Vault:
    """Seals with the last of its keys and opens with any; a key is 32 random bytes."""

    def __init__(self, *keys: bytes) -> None:
        if not keys or any(len(key) != _KEY_BYTES for key in keys):
            raise ValueError(f"a vault needs keys of {_KEY_BYTES} bytes")
        self._path: Path | None = None
        self._hold(keys)

    def _hold(self, keys: Sequence[bytes]) -> None:
        self._keys = tuple(keys)
        self._ring = [(_key_id(key), AESGCM(key)) for key in keys]

    @classmethod
    def open_or_create(cls, path: Path) -> Self:
        """The vault with the keys in `path`; a missing file is created with a new key, mode 0400. Raises HubError."""
        try:
            with contextlib.suppress(FileExistsError):
                _create(path)
            vault = cls(*_read(path))
            vault._path = path
            return vault
        except OSError as error:
            raise HubError(
                Kind.UNAVAILABLE, f"the key file {path} cannot be used: {error.strerror}", reason="key_file"
            ) from error

    def seal(self, text: str, owner: Owner) -> bytes:
        """The sealed form of `text` for that owner; each call gives different bytes."""
        key_id, cipher = self._ring[-1]
        nonce = os.urandom(_NONCE_BYTES)
        return key_id + nonce + cipher.encrypt(nonce, text.encode(), _data(owner))

    def derived(self, purpose: str) -> bytes:
        """A key of 32 bytes for that purpose, from the newest key: another one once the vault has a new key."""
        return hmac.digest(self._keys[-1], f"camera hub: {purpose}".encode(), "sha256")

    def open(self, sealed: bytes, owner: Owner) -> str:
        """The text. Raises HubError(UNAVAILABLE, "credential_locked") for another key or owner, or altered bytes."""
        nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        for key_id, cipher in reversed(self._ring):  # two keys may share their id of one byte
            if key_id == sealed[:1]:
                with contextlib.suppress(InvalidTag, ValueError):
                    return cipher.decrypt(nonce, ciphertext, _data(owner)).decode()
        raise HubError(
            Kind.UNAVAILABLE,
            f"the login of {_named(owner)} cannot be decrypted with this hub's key file; type its password again",
            reason="credential_locked",
            owner=owner,
        )

    @property
    def key_count(self) -> int:
        """How many keys the ring holds."""
        return len(self._keys)

    @property
    def newest_id(self) -> bytes:
        """The byte with which everything begins that the newest key has sealed."""
        return self._ring[-1][0]

    @property
    def newest_is_told_apart(self) -> bool:
        """Whether that byte is the newest key's alone."""
        return [key_id for key_id, _ in self._ring].count(self.newest_id) == 1

    def add_key(self) -> None:
        """Append a new key, whose id no other one has, to the file, and seal with it from now on.

        It is on the disk before it is used. Blocks for a moment. Raises HubError(UNAVAILABLE, key_file).
        """
        known = {key_id for key_id, _ in self._ring}
        new = next(key for key in iter(lambda: os.urandom(_KEY_BYTES), b"") if _key_id(key) not in known)
        self._rewrite((*self._keys, new))

    def drop_old_keys(self) -> None:
        """Keep the newest key alone. Blocks for a moment. Raises HubError(UNAVAILABLE, key_file)."""
        self._rewrite(self._keys[-1:])

    def _rewrite(self, keys: Sequence[bytes]) -> None:
        path = self._path
        if path is None:
            raise ValueError("this vault has no file")
        try:
            if tuple(_read(path)) != self._keys:
                raise HubError(
                    Kind.UNAVAILABLE,
                    f"the key file {path} was changed by hand while the hub runs; restart the hub, then try again",
                    reason="key_file",
                )
            for draft in path.parent.glob(f".{path.name}.*"):  # of a process that was killed
                draft.unlink()
            draft = _draft(path, keys)
            os.replace(draft, path)
            _sync_folder(path.parent)
        except OSError as error:
            raise HubError(
                Kind.UNAVAILABLE, f"the key file {path} cannot be changed: {error.strerror}", reason="key_file"
            ) from error
        self._hold(keys)


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"camera hub vault key" + key).digest()[:1]


def _data(owner: Owner) -> bytes:
    return _named(owner, ":").encode()


def _named(owner: Owner, mark: str = " ") -> str:
    return f"device{mark}{owner}" if isinstance(owner, int) else owner


def _create(path: Path) -> None:
    """Write a new key to a temporary file and link it to `path`, so that a reader never sees a partial key."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft(path, [os.urandom(_KEY_BYTES)])
    try:
        os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _draft(path: Path, keys: Sequence[bytes]) -> Path:
    """A temporary file beside `path` with these keys, written to the disk, readable by its owner alone."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "wb") as file:
        file.write(b"".join(base64.b64encode(key) + b"\n" for key in keys))
        file.flush()
        os.fsync(file.fileno())
    return draft


def _sync_folder(folder: Path) -> None:
    """Have the folder's entries on the disk, too: else a power cut could bring the former file back."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> list[bytes]:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise HubError(
            Kind.UNAVAILABLE,
            f"the key file {path} can be read by other users; run: chmod 400 {path}",
            reason="key_file",
        )
    try:
        keys = [base64.b64decode(line, validate=True) for line in path.read_bytes().split()]
    except binascii.Error:
        keys = []
    if not keys or any(len(key) != _KEY_BYTES for key in keys):
        raise HubError(
            Kind.UNAVAILABLE,
            f"the key file {path} does not contain valid vault keys; restore it from the backup",
            reason="key_file",
        )
    return keys
