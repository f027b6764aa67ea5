"""Easee events: what happens once at a charger, by the Easee cloud."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import callback

from .easee.charger import EaseeCharger
from .easee.command_ids import QUESTIONS, CommandId
from .easee.ids import ChargerId
from .easee.products import ProductCode
from .easee_writes import account_of
from .entity import HubEntity, HubEntityDescription

if TYPE_CHECKING:
    from .easee.account import EaseeAccount
    from .easee.commands import Refusal
    from .easee.readings import Observation
    from .easee.responses import CommandResponse

RECENT: Final = timedelta(minutes=5)
"""What is older when we hear of it did not happen just now."""

type Fire = Callable[[str, dict[str, Any]], None]
type Ends = tuple[Callable[[], None], ...]


@dataclass(frozen=True, kw_only=True)
class EaseeEventDescription(EventEntityDescription, HubEntityDescription[EaseeCharger]):
    """Describe events; `listen_fn` has them fired and returns what ends that."""

    always_available: bool = True
    listen_fn: Callable[[EaseeAccount, EaseeCharger, Fire], Ends]


def _commands(account: EaseeAccount, charger: EaseeCharger, fire: Fire) -> Ends:
    """Fire for commands that are refused, and for those of others."""

    def refused(refusal: Refusal) -> None:
        if refusal.serial.upper() == charger.serial:
            outcome = refusal.outcome
            told = {"answer": outcome.answer, "detail": outcome.detail or None}
            fire("refused", {"command": refusal.what, **told})

    def foreign(response: CommandResponse) -> None:
        if response.serial.upper() != charger.serial or response.id in QUESTIONS:
            return
        told = {"accepted": response.accepted, "detail": response.comment or None}
        fire("foreign", {"command": _name(response.id), **told})

    commands = account.commands
    return commands.on_refused(refused), commands.on_foreign(foreign)


def _name(number: int | None) -> str | None:
    """Return what a command is called, or its number if it is a new one."""
    if number is None:
        return None
    known = number in set(CommandId)
    return CommandId(number).name.lower() if known else str(number)


def _reading(
    number: ChargerId, event_type: str, attribute: str
) -> Callable[[EaseeAccount, EaseeCharger, Fire], Ends]:
    """Return what fires for each new value under a number."""

    def listen(account: EaseeAccount, charger: EaseeCharger, fire: Fire) -> Ends:
        last = charger.readings.channel(number).at

        def heard(observation: Observation) -> None:
            nonlocal last
            if observation.id != number:
                return
            before, last = last, observation.at
            # What is the first to be told after a start was there before.
            first = before is None and account.stream.replaying(charger.serial)
            now = account.time() + min(charger.liveness.ahead, timedelta())
            is_old = now - observation.at > RECENT
            if observation.value and observation.at != before and not (first or is_old):
                fire(event_type, {attribute: str(observation.value)})

        return (charger.readings.on_reading(heard),)

    return listen


def _signs(charger: EaseeCharger) -> bool:
    """Return whether a charger has a meter that signs its sessions."""
    return (
        charger.info.product_code == ProductCode.CHARGE_MAX
        or ChargerId.CHARGING_SESSION_SIGNED in charger.readings
    )


EASEE_EVENTS: tuple[EaseeEventDescription, ...] = (
    EaseeEventDescription(
        key="command",
        entity_category=EntityCategory.DIAGNOSTIC,
        event_types=["foreign", "refused"],
        listen_fn=_commands,
        translation_key="command",
    ),
    EaseeEventDescription(
        key="signed_session",
        channels_fn=lambda charger: (
            charger.readings.channel(ChargerId.CHARGING_SESSION_SIGNED),
        ),
        entity_category=EntityCategory.DIAGNOSTIC,
        event_types=["signed"],
        exists_fn=_signs,
        listen_fn=_reading(ChargerId.CHARGING_SESSION_SIGNED, "signed", "data"),
        translation_key="signed_session",
    ),
    EaseeEventDescription(
        key="token_pairing",
        entity_registry_enabled_default=False,
        event_types=["paired"],
        listen_fn=_reading(ChargerId.PAIRED_USER_ID_TOKEN, "paired", "id_token"),
        translation_key="token_pairing",
    ),
)


class EaseeEvent(HubEntity[EaseeCharger], EventEntity):
    """Something that happens once at a charger."""

    entity_description: EaseeEventDescription
    _unrecorded_attributes = frozenset({"data"})

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to the account."""
        await super().async_added_to_hass()
        account = account_of(self.hub_station)
        listen = self.entity_description.listen_fn
        for end in listen(account, self.subject, self._mark_event):
            self.async_on_remove(end)

    @callback
    def _mark_event(self, event_type: str, attributes: dict[str, Any]) -> None:
        """Have an event written after the states that changed with it."""
        fire = partial(self._fire, event_type, attributes)
        self.hub.flusher.mark(fire, urgent=True)

    @callback
    def _fire(self, event_type: str, attributes: dict[str, Any]) -> None:
        """Write one event."""
        self._trigger_event(event_type, attributes)
        self.async_write_ha_state()
