"""Who watches: a signed-in user, or a player that has shown a stream token."""

from camera_hub.access.policy import Action, Actor, allows
from camera_hub.access.stream_tokens import TokenHolder
from camera_hub.settings import MediaSettings as MediaSettings

Watcher = Actor | TokenHolder


def owner_of(watcher: Watcher) -> tuple[str, int]:
    """Whose viewers they are: a user's or a token's."""
    return ("token", watcher.token.id) if isinstance(watcher, TokenHolder) else ("user", watcher.user_id)


def may_listen(settings: MediaSettings, watcher: Watcher, village_id: int | None = None) -> bool:
    """Whether the site has sound at all, and this watcher may hear (that village's)."""
    if isinstance(watcher, TokenHolder):
        return settings.audio and watcher.token.sound
    return settings.audio and allows(watcher, Action.LISTEN, village_id)
