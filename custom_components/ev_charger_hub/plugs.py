"""Plugs: the connectors of an EVSE that has several (OCPP 2.x), each by its number."""

from collections.abc import Callable, Iterable, Iterator

from .entity import HubEntityDescription
from .growth import Candidate
from .station.channel import Channel
from .station.enums import ConnectorStatus
from .station.model import ChargingStation, Evse

type Describe = Callable[[int], Iterable[HubEntityDescription[Evse]]]


def plugs(station: ChargingStation, describe: Describe) -> Iterator[Candidate]:
    """Yield what a platform shows of each connector of each EVSE with several."""
    for evse in station.evses.values():
        if len(evse.connectors) > 1:
            for number in tuple(evse.connectors):
                yield from ((evse, one) for one in describe(number))


def plug_status(evse: Evse, number: int) -> Channel[ConnectorStatus | None]:
    """Return the status of a connector of an EVSE."""
    return evse.connector(number).status
