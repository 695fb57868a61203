"""At which account attempts with a feed's login are counted, and when it may be tried again."""

from camera_hub.cameras.credentials.login_budget import LoginBudget, LoginKey, device_account
from camera_hub.media.feeds.desired_state import DesiredFeeds, FeedKey
from camera_hub.media.feeds.feed_states import FeedStates


class FeedLogins:
    """Of all feeds; the account is that of the feed's device."""

    def __init__(self, budget: LoginBudget, desired: DesiredFeeds, states: FeedStates) -> None:
        self._budget = budget
        self._desired = desired
        self._states = states

    def account(self, key: FeedKey) -> LoginKey | None:
        """None when the feed is not wanted."""
        spec, owner = self._desired.spec(key), self._states.owner(key)
        if spec is None or owner is None or self._desired.waits(key):
            return None
        return device_account(owner.device_id, spec.credentials_version)

    def wait(self, key: FeedKey) -> float | None:
        """Seconds until the feed's login may be tried again; None when the feed is not wanted."""
        account = self.account(key)
        return self._budget.wait(account, "rtsp") if account is not None else None

    def may_retry(self, key: FeedKey) -> bool:
        """Whether the feed has a login that may be tried now."""
        spec = self._desired.spec(key)
        return spec is not None and spec.username is not None and self.wait(key) == 0
