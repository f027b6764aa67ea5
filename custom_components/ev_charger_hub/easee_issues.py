"""Easee issues: what the cloud does not let pass, and a user can do something about."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN
from .easee.errors import EmailNotVerified
from .easee.stream import StreamTrouble
from .easee_errors import local_time
from .issues import finding_issue_id
from .station.clock import Timer

if TYPE_CHECKING:
    from .easee_hub import EaseeHub

LEARN_MORE: Final = (
    "https://github.com/ev-charger-hub/ev-charger-hub/blob/main/docs/easee.md#trouble"
)
BLOCKED: Final = "easee_address_blocked"
ROGUE: Final = "easee_rogue"
STREAM: Final = "easee_stream_not_found"
UNVERIFIED: Final = "easee_email_not_verified"
WEAR: Final = "easee_writes_spent"

REMINDER: Final = 3600.0
"""Seconds after which an account that needs a login is looked at again."""


class AccountIssues:
    """The repair issues of one account, and its requests to log in again."""

    def __init__(self, hub: EaseeHub) -> None:
        """Raise nothing yet."""
        self._hub = hub
        self._hass = hub.hass
        self._raised: set[str] = set()
        self._spent: dict[str, Timer] = {}
        self._reminder: Timer | None = None

    @callback
    def follow(self) -> tuple[Callable[[], None], ...]:
        """Follow the account; return what ends that."""
        account = self._hub.account
        self._log_in_again()
        self._tell_block()
        self._tell_stream()
        return (
            account.trouble.subscribe(self._log_in_again),
            account.budget.subscribe(self._tell_block),
            account.stream.trouble.subscribe(self._tell_stream),
            account.wear.on_exhausted(self._tell_wear),
        )

    @callback
    def follow_product(self, identity: str) -> Callable[[], None]:
        """Follow who else commands a product; return what ends that, and its issue."""
        rogue = self._hub.account.rogues[identity]
        tell = partial(self._tell_rogue, identity)
        tell()
        unsubscribe = rogue.repeated.subscribe(tell)

        def end() -> None:
            unsubscribe()
            self._delete(finding_issue_id(ROGUE, identity))

        return end

    @callback
    def close(self) -> None:
        """Raise nothing more, and keep nothing raised."""
        self._remind_no_more()
        for timer in self._spent.values():
            timer.cancel()
        self._spent.clear()
        for issue_id in tuple(self._raised):
            self._delete(issue_id)

    # What is told

    @callback
    def _log_in_again(self) -> None:
        """Ask the user once for what only the user knows (S28)."""
        hub, trouble = self._hub, self._hub.account.trouble.value
        self._remind_no_more()
        unverified = isinstance(trouble, EmailNotVerified)
        self._show(self._of_account(UNVERIFIED), UNVERIFIED, unverified)
        if trouble is None:
            self._need_no_login()
        elif not unverified:
            # A form for changes of the entry that somebody left open is in its way.
            hub.entry.async_start_reauth(self._hass)
            self._reminder = hub.account.time.call_later(REMINDER, self._log_in_again)

    def _remind_no_more(self) -> None:
        """Forget what was to be looked at again."""
        if self._reminder is not None:
            self._reminder.cancel()
            self._reminder = None

    def _need_no_login(self) -> None:
        """Ask no more, because it works again."""
        flows = self._hass.config_entries.flow
        for flow in self._hub.entry.async_get_active_flows(self._hass, {SOURCE_REAUTH}):
            flows.async_abort(flow["flow_id"])

    @callback
    def _tell_block(self) -> None:
        """Tell of an address that the cloud does not want to hear of."""
        until = self._hub.account.budget.blocked_until
        self._show(self._of_account(BLOCKED), BLOCKED, until is not None, until=until)

    @callback
    def _tell_stream(self) -> None:
        """Tell of a stream that is not where it should be (S50)."""
        lost = self._hub.account.stream.trouble.value is StreamTrouble.NOT_FOUND
        self._show(self._of_account(STREAM), STREAM, lost)

    @callback
    def _tell_rogue(self, identity: str) -> None:
        """Tell of another system that controls a charger (A9)."""
        repeated = self._hub.account.rogues[identity].repeated.value
        issue_id = finding_issue_id(ROGUE, identity)
        self._show(issue_id, ROGUE, repeated, name=self._name_of(identity))

    @callback
    def _tell_wear(self, serial: str, _setting: str, until: datetime) -> None:
        """Tell of automations that would wear out the memory of a charger."""
        issue_id = finding_issue_id(WEAR, serial)
        name = self._name_of(serial.upper())
        self._show(issue_id, WEAR, True, until=until, name=name)
        if (timer := self._spent.pop(issue_id, None)) is not None:
            timer.cancel()
        time = self._hub.account.time
        seconds = max((until - time()).total_seconds(), 0.0)
        self._spent[issue_id] = time.call_later(seconds, partial(self._rest, issue_id))

    @callback
    def _rest(self, issue_id: str) -> None:
        """Tell no more of a memory that may be written again."""
        self._spent.pop(issue_id, None)
        self._delete(issue_id)

    # How

    def _of_account(self, key: str) -> str:
        return f"{key}_{self._hub.entry.entry_id}"

    def _name_of(self, identity: str) -> str:
        """Return the name of a product."""
        if (charger := self._hub.account.chargers.get(identity)) is not None:
            return charger.station.settings.name
        equalizer = self._hub.account.equalizers.get(identity)
        return "Easee" if equalizer is None else equalizer.info.name

    def _show(
        self,
        issue_id: str,
        key: str,
        raised: bool,
        *,
        until: datetime | None = None,
        name: str = "",
    ) -> None:
        """Raise an issue, or delete it."""
        if not raised:
            self._delete(issue_id)
            return
        self._raised.add(issue_id)
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue_id,
            is_fixable=False,
            learn_more_url=LEARN_MORE,
            severity=ir.IssueSeverity.WARNING,
            translation_key=key,
            translation_placeholders={
                "account": self._hub.entry.title,
                "name": name,
                "until": "" if until is None else local_time(until),
            },
        )

    def _delete(self, issue_id: str) -> None:
        """Raise an issue no more; at the end of Home Assistant all are kept."""
        # What the user ignores is remembered with the issue, for the next start.
        if issue_id in self._raised and not self._hass.is_stopping:
            self._raised.discard(issue_id)
            ir.async_delete_issue(self._hass, DOMAIN, issue_id)
