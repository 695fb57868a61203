"""At which account attempts with a feed's login are counted, and when it may be tried again."""

from camera_hub.cameras.credentials.device_login import DeviceLogin
from camera_hub.cameras.credentials.login_budget import LoginBudget
from camera_hub.cameras.credentials.login_memory import LoginKey
from camera_hub.media.feeds.desired_state import DesiredFeeds, FeedKey
from camera_hub.media.feeds.feed_states import FeedStates
from camera_hub.relay.messages import Gb28181Source


class FeedLogins:
    """Of all feeds; the account is that of the feed's device."""

    def __init__(self, budget: LoginBudget, desired: DesiredFeeds, states: FeedStates) -> None:
        self._budget = budget
        self._desired = desired
        self._states = states

    def account(self, key: FeedKey) -> LoginKey | None:
        """None when the feed is not wanted, or comes from no address."""
        spec, owner = self._desired.spec(key), self._states.owner(key)
        if spec is None or owner is None or self._desired.waits(key) or isinstance(spec.source, Gb28181Source):
            return None
        source = spec.source
        login = DeviceLogin(
            source.username or "", source.password or "", spec.credentials_version, device_id=owner.device_id
        )
        return self._budget.account(login, source.address, source.port)

    def wait(self, key: FeedKey) -> float | None:
        """Seconds until the feed's login may be tried again; None when the feed is not wanted."""
        account = self.account(key)
        return self._budget.wait(account, "rtsp") if account is not None else None

    def may_retry(self, key: FeedKey) -> bool:
        """Whether the feed has a login that may be tried now."""
        spec = self._desired.spec(key)
        return spec is not None and spec.username is not None and self.wait(key) == 0
