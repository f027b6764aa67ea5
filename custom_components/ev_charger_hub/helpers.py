"""Commands for entities and actions: what a charger answers, as errors users read."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .easee.errors import EaseeError
from .easee_errors import translated, translated_easee_errors
from .station import limits
from .station.errors import (
    InvalidTransactionId,
    JournalError,
    NotConnected,
    NotSupported,
    UpdateRunning,
)
from .station.firmware import Blocked
from .station.link import Capability, Limit, Link, LinkKind
from .station.model import ChargingStation, Evse
from .station.outcome import Outcome, OutcomeStatus
from .station.ways import carry

if TYPE_CHECKING:
    from .hub_base import Hub

_FAILURES = {
    OutcomeStatus.NO_ANSWER: "no_answer",
    OutcomeStatus.NOT_SUPPORTED: "not_supported_by_charger",
    OutcomeStatus.REJECTED: "rejected",
    OutcomeStatus.TIMED_OUT: "timed_out",
}


def own_id_token(hub: Hub[Any]) -> str:
    """Return the id token with which a server starts charging by itself."""
    return hub.own_id_token


def invalid(key: str, **placeholders: str) -> ServiceValidationError:
    """Return the error for a wish that makes no sense."""
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
    )


def failed(key: str, **placeholders: str) -> HomeAssistantError:
    """Return the error for a command that did not work."""
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key=key,
        translation_placeholders=placeholders,
    )


def checked(
    station: ChargingStation, outcome: Outcome, *, may_drop: bool = False
) -> Outcome:
    """Return a good outcome, raise what became of any other.

    `may_drop` is for commands that a station may carry out instead of answering.
    """
    if outcome.ok or (may_drop and outcome.status is OutcomeStatus.NO_ANSWER):
        return outcome
    raise failure(station.settings.name, outcome)


def failure(name: str, outcome: Outcome) -> HomeAssistantError:
    """Return the error for a command to `name` that had a bad outcome."""
    if isinstance(outcome.cause, EaseeError):
        return translated(outcome.cause, name)
    answer = outcome.answer or outcome.status
    return failed(
        _FAILURES[outcome.status],
        answer=f"{answer} ({outcome.detail})" if outcome.detail else answer,
        charger=name,
    )


def not_supported(station: ChargingStation) -> HomeAssistantError:
    """Return the error for a command that no connection of a charger carries."""
    by_cloud = station.ways == {LinkKind.EASEE}
    key = "easee_not_carried" if by_cloud else "not_supported"
    return failed(key, charger=station.settings.name)


@contextmanager
def translated_errors(station: ChargingStation) -> Iterator[None]:
    """Turn the errors of the model into errors that users read."""
    charger = station.settings.name
    try:
        with translated_easee_errors(charger):
            yield
    except NotConnected as err:
        raise failed("not_connected", charger=charger) from err
    except NotSupported as err:
        raise not_supported(station) from err
    except UpdateRunning as err:
        raise invalid("update_running", charger=charger) from err
    except InvalidTransactionId as err:
        raise invalid("invalid_transaction_id", charger=charger) from err
    except JournalError as err:
        raise failed("journal_failed", charger=charger, reason=str(err)) from err
    except limits.LimitError as err:
        bound = "" if err.bound is None else f"{err.bound.normalize():f}"
        unit = "" if err.limit is None else err.limit.unit
        again_at = err.again_at and dt_util.as_local(err.again_at)
        raise invalid(
            err.kind,
            again_at=f"{again_at:%H:%M}" if again_at else "",
            bound=f"{bound} {unit}".strip(),
            charger=charger,
        ) from err


async def async_send(
    station: ChargingStation,
    capability: Capability,
    send: Callable[[Link], Awaitable[Outcome]],
    *,
    may_drop: bool = False,
) -> Outcome:
    """Send one command by the way that carries it and return its good outcome."""
    with translated_errors(station):
        outcome = await carry(station, capability, send)
    return checked(station, outcome, may_drop=may_drop)


async def async_limit(station: ChargingStation, wish: Awaitable[Outcome]) -> Outcome:
    """Wait for a wish about limits and return its good outcome.

    That a newer wish overtook it is none of the user's business.
    """
    with translated_errors(station):
        outcome = await wish
    if outcome.status is OutcomeStatus.SUPERSEDED:
        return outcome
    return checked(station, outcome)


def _check_firmware(station: ChargingStation, what: Blocked) -> None:
    """Raise if an update of the firmware is not to be disturbed."""
    with translated_errors(station):
        if station.firmware is not None:
            station.firmware.check(what)


async def async_start(
    station: ChargingStation,
    evse_id: int | None,
    id_token: str,
    limit: Limit | None = None,
) -> Outcome:
    """Ask a station to start charging."""
    _check_firmware(station, Blocked.START)
    if limit is not None:
        with translated_errors(station):
            limits.check(station.settings, limit)
    return await async_send(
        station,
        Capability.START_STOP,
        lambda link: link.start_charging(evse_id, id_token, limit),
    )


async def async_stop(station: ChargingStation, transaction_id: str) -> Outcome:
    """Ask a station to end a session."""
    return await async_send(
        station, Capability.START_STOP, lambda link: link.stop_charging(transaction_id)
    )


async def async_reset(
    station: ChargingStation,
    *,
    hard: bool,
    evse_id: int | None = None,
    resume: bool = False,
) -> Outcome:
    """Restart a station, or one EVSE; it may do so instead of answering."""
    _check_firmware(station, Blocked.RESET)
    return await async_send(
        station,
        Capability.RESET,
        lambda link: link.reset(hard=hard, evse_id=evse_id, resume=resume),
        may_drop=evse_id is None,
    )


async def async_unlock(
    station: ChargingStation, evse_id: int, connector_id: int = 1
) -> Outcome:
    """Unlock a connector of a station."""
    return await async_send(
        station, Capability.UNLOCK, lambda link: link.unlock(evse_id, connector_id)
    )


async def async_change_availability(
    station: ChargingStation,
    evse_id: int,
    *,
    operative: bool,
    connector_id: int | None = None,
) -> Outcome:
    """Take an EVSE, one connector of it, or with 0 the station in or out of service."""
    return await async_send(
        station,
        Capability.AVAILABILITY,
        lambda link: link.change_availability(
            evse_id, operative=operative, connector_id=connector_id
        ),
    )


def first_connector(evse: Evse | None) -> int:
    """Return the connector of an EVSE that a user means who names none."""
    return min(evse.connector_ids, default=1) if evse is not None else 1
