"""Kept model: the variables of a station as the journal has them, until it is back."""

from collections.abc import Iterable
import logging
from typing import Any

from ...station.errors import JournalError
from ...station.secrets import shortened
from ..adapter import StationContext
from .device_model import Variable, dumped

MODEL = "device_model"
"""The fact of the journal with all variables, and the firmware they are of."""

_LOGGER = logging.getLogger(__name__)


def kept_of(context: StationContext) -> list[str | None]:
    """Return what the variables are true for: the firmware, and the version."""
    station = context.station
    return [station.info.value.firmware, station.version.value]


async def keep_written(context: StationContext, written: Iterable[Variable]) -> None:
    """Keep variables as they are now, so that no older value comes back after us."""
    identity = context.station.identity
    try:
        kept = await context.journal.load(identity, MODEL)
        match kept:
            case {"of": of, "variables": list(known), **rest} if of == kept_of(context):
                now = {str(one.name.parts): dumped(one) for one in written}
                variables = [now.get(_name(one), one) for one in known]
                fact = {**rest, "of": of, "variables": variables}
                await context.journal.store(identity, MODEL, fact)
    except JournalError:
        # The station says it again when it is back.
        _LOGGER.exception("%s: what was written is not kept", shortened(identity))


def _name(entry: Any) -> str:
    """Return what an entry is about, as a key."""
    return str(entry[0]) if isinstance(entry, list) and entry else ""
