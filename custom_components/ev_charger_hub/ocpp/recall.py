"""Recall: the variables of a station as they were when it was last seen."""

from ..station.journal import Journal
from ..station.model import ChargingStation
from .stepwise import FACT
from .v16.configuration import Configuration
from .v16.described import described as described_16
from .v201.described import described
from .v201.device_model import kept_variables
from .v201.kept_model import MODEL

_FIRST_VERSION = "1.6"


async def recall_variables(station: ChargingStation, journal: Journal) -> None:
    """Bring back what was kept of the version that a station last spoke."""
    version = station.version.value
    if version == _FIRST_VERSION:
        kept = await journal.load(station.identity, FACT)
        configuration = Configuration()
        configuration.restore(kept.get("keys") if isinstance(kept, dict) else None)
        station.variables.put(described_16(configuration))
        return
    kept = await journal.load(station.identity, MODEL)
    match kept:
        case {"of": [_, str(of)], "variables": variables} if of == version:
            station.variables.put(map(described, kept_variables(variables)))
