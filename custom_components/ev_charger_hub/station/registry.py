"""The registry: all stations known to this Home Assistant, over all entries."""

from collections.abc import Iterator

from .model import ChargingStation


class StationRegistry:
    """Where two entries that see one charger meet in one object."""

    def __init__(self) -> None:
        """Start without stations."""
        self._stations: list[ChargingStation] = []

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

    def discard(self, station: ChargingStation) -> None:
        """Forget a station, if it is known."""
        self._stations = [one for one in self._stations if one is not station]

    def find(
        self, *, identity: str | None = None, serial: str | None = None
    ) -> ChargingStation | None:
        """Return the station of that identity, or else of that serial number.

        Serial numbers are compared without case and surrounding blanks, as a cloud
        and a boot notification spell them differently.
        """
        wanted = _normal(serial)
        by_serial: ChargingStation | None = None
        for station in self._stations:
            if identity is not None and station.identity == identity:
                return station
            if wanted and by_serial is None:
                if _normal(station.info.value.serial) == wanted:
                    by_serial = station
        return by_serial


def _normal(serial: str | None) -> str:
    """Return a serial number in the form in which it is compared."""
    return (serial or "").strip().casefold()
