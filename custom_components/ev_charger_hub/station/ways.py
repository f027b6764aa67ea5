"""Ways: a command goes by the first that takes it, and by no other that may have."""

from collections.abc import Awaitable, Callable
from typing import Final

from .errors import InvalidTransactionId, NotConnected, NotSupported, StationError
from .link import Capability, Link
from .model import ChargingStation
from .outcome import Outcome, OutcomeStatus

_UNDONE: Final = frozenset({OutcomeStatus.NOT_SUPPORTED, OutcomeStatus.REJECTED})
"""Nothing was done: another way does nothing twice."""


async def carry(
    station: ChargingStation,
    capability: Capability,
    send: Callable[[Link], Awaitable[Outcome]],
) -> Outcome:
    """Send a command by the first way that does not refuse it, local before any cloud.

    What was sent and not answered is not sent again. Raises NotConnected or
    NotSupported if it cannot be sent at all.
    """
    first = station.link(capability)
    outcome = await _sent(first, send)
    for link in station.links:
        if link is first or not link.connected or capability not in link.capabilities:
            continue
        if isinstance(outcome, Outcome) and outcome.status not in _UNDONE:
            break
        other = await _sent(link, send, besides=isinstance(outcome, Outcome))
        refused = not isinstance(other, Outcome) or other.status in _UNDONE
        if not isinstance(outcome, Outcome) or not refused:
            outcome = other
    if isinstance(outcome, Outcome):
        return outcome
    raise outcome


async def _sent(
    link: Link, send: Callable[[Link], Awaitable[Outcome]], *, besides: bool = False
) -> Outcome | StationError:
    """Return what became of a command, or why it was not sent.

    What goes wrong `besides` an answer that is known is nothing to raise.
    """
    try:
        return await send(link)
    except (NotConnected, NotSupported, InvalidTransactionId) as err:
        return err
    except StationError as err:
        if not besides:
            raise
        return err
