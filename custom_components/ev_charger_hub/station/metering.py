"""Metering: samples into channels, with derived totals and guarded registers."""

from datetime import datetime

from .model import ChargingStation, MeasurementKey, Number, Place


class Metering:
    """Puts the samples of one station into its channels, in base units."""

    def __init__(self, station: ChargingStation) -> None:
        """Create the metering of a station."""
        self._station = station

    def sample(
        self, place: Place, key: MeasurementKey, value: Number, at: datetime
    ) -> None:
        """Take one reading of `key` at `place` that was true at `at`."""
        place.measurement(key).set(value, at)
