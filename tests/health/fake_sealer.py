"""What seals addresses, as the vault does, but readable for a test: owner and text, turned around."""

from camera_hub.errors import HubError, Kind


class FakeSealer:
    """Opens only what it sealed for the same owner."""

    def seal(self, text: str, owner: int | str, /) -> bytes:
        return f"{owner}|{text}"[::-1].encode()

    def open(self, sealed: bytes, owner: int | str, /) -> str:
        number, bar, text = sealed.decode()[::-1].partition("|")
        if not bar or number != str(owner):
            raise HubError(Kind.UNAVAILABLE, "sealed for somebody else", reason="credential_locked")
        return text
