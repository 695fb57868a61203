"""The vault's keys: how many, and what is still sealed with old ones."""

from camera_hub.api.schemas.base import Answer


class VaultAnswer(Answer):
    keys: int  # one, unless a change of the key is unfinished
    sealed: int  # values that are sealed
    old: int  # of them with another key than the newest
