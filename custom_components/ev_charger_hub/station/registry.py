"""The registry: all stations known to this Home Assistant, over all entries."""

from collections.abc import Callable, Iterator

from .channel import Channel
from .model import ChargingStation


class StationRegistry:
    """Where two entries that see one charger meet in one object."""

    def __init__(self) -> None:
        """Start without stations."""
        self._stations: list[ChargingStation] = []
        self._serials: dict[int, tuple[str, Callable[[], None]]] = {}
        self.changed: Channel[int] = Channel(0, urgent=True)
        """How often a station came or went, or something was learnt that tells whose it is."""

    def __iter__(self) -> Iterator[ChargingStation]:
        """Iterate over the stations, oldest first."""
        return iter(tuple(self._stations))

    def __len__(self) -> int:
        """Return the number of stations."""
        return len(self._stations)

    def add(self, station: ChargingStation) -> None:
        """Make a station known; once more changes nothing."""
        if not any(one is station for one in self._stations):
            self._stations.append(station)

            def look() -> None:
                self._look(station)

            self._serials[id(station)] = (
                _serial_of(station),
                station.info.subscribe(look),
            )
            self.tell()

    def discard(self, station: ChargingStation) -> None:
        """Forget a station, if it is known."""
        if (kept := self._serials.pop(id(station), None)) is None:
            return
        _, unsubscribe = kept
        unsubscribe()
        self._stations = [one for one in self._stations if one is not station]
        self.tell()

    def _look(self, station: ChargingStation) -> None:
        """Tell if a station has told another serial number."""
        before, unsubscribe = self._serials[id(station)]
        if (serial := _serial_of(station)) != before:
            self._serials[id(station)] = serial, unsubscribe
            self.tell()

    def tell(self) -> None:
        """Have everybody look again who shows which station."""
        self.changed.set(self.changed.value + 1)

    def find(
        self, *, identity: str | None = None, serial: str | None = None
    ) -> ChargingStation | None:
        """Return the station of that identity, or else of that serial number.

        Serial numbers are compared without case and surrounding blanks, as a cloud
        and a boot notification spell them differently.
        """
        wanted = normal(serial)
        by_serial: ChargingStation | None = None
        for station in self._stations:
            if identity is not None and station.identity == identity:
                return station
            if wanted and by_serial is None:
                if _serial_of(station) == wanted:
                    by_serial = station
        return by_serial


def _serial_of(station: ChargingStation) -> str:
    return normal(station.info.value.serial)


def normal(serial: str | None) -> str:
    """Return a serial number in the form in which it is compared."""
    return (serial or "").strip().casefold()
