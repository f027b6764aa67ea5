"""Liveness of a charger: whether it reaches the cloud, by what was said and by whom."""

from datetime import datetime
from typing import Final

from .enums import OpMode
from .ids import ChargerId as Id
from .liveness import Liveness
from .readings import Observation, Readings
from .timing import Time

_GONE: Final = frozenset({OpMode.OFFLINE, OpMode.LINK_LOST})


class ChargerLiveness(Liveness):
    """Tells whether a charger is there, and when it was last heard."""

    def __init__(self, readings: Readings, time: Time) -> None:
        """Have heard nothing yet."""
        super().__init__(time)
        self._readings = readings

    @property
    def at(self) -> datetime | None:
        """Return until when is known how the charger is, by its own clock."""
        known = (
            self.last_seen,
            self._readings.channel(Id.CONNECTED_TO_CLOUD).at,
            self._readings.channel(Id.CHARGER_OP_MODE).at,
        )
        return max((one for one in known if one is not None), default=None)

    def hear(self, observation: Observation, *, replay: bool) -> None:
        """Take what was reported, which the readings have already."""
        connected = self._is_connected()
        if not connected:
            self.connected(False, observation.at, replay=replay)
        if _is_of_charger(observation):
            if connected:
                self.connected(True, observation.at, replay=replay)
            else:
                self.seen(observation.at, replay=replay)

    def _is_connected(self) -> bool:
        if self._readings.flag(Id.CONNECTED_TO_CLOUD) is False:
            return False
        mode = self._readings.channel(Id.CHARGER_OP_MODE)
        if OpMode.of(mode.value) not in _GONE:
            return True
        # It is back if the cloud said so since.
        since = self._readings.channel(Id.CONNECTED_TO_CLOUD).at
        return since is not None and mode.at is not None and since > mode.at


def _is_of_charger(observation: Observation) -> bool:
    """Return whether the charger said it, and not the cloud about it."""
    match observation.id:
        case Id.CLOUD_DISCONNECT_REASON:
            return False
        case Id.CONNECTED_TO_CLOUD:
            return bool(observation.value)
        case Id.CHARGER_OP_MODE:
            return OpMode.of(observation.value) not in _GONE
    return True
