"""Settings of equalizers: how a user's wish reaches one, and what becomes of it."""

from collections.abc import Awaitable

from .easee.equalizer import SURPLUS_OFF, UNKNOWN_MODE, Equalizer
from .easee_errors import translated_easee_errors
from .helpers import failure, invalid
from .station.outcome import Outcome


async def async_set(equalizer: Equalizer, wish: Awaitable[Outcome]) -> Outcome:
    """Return what becomes of a wish if it is good; raises what users read."""
    name = equalizer.info.name
    with translated_easee_errors(name):
        outcome = await wish
    if outcome is SURPLUS_OFF:
        raise invalid("easee_surplus_off", name=name)
    if outcome is UNKNOWN_MODE:
        raise invalid("easee_surplus_unknown", name=name)
    if not outcome.ok:
        raise failure(name, outcome)
    return outcome
