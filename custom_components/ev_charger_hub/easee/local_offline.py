"""Local offline: a charger that charges when nobody is there to ask (3.6, trap 5).

A charger that asks us whom it may charge waits for ever if Home Assistant is gone, unless
it was told before that it need not.
"""

from collections.abc import Mapping
from typing import Final

from ..station.outcome import Outcome
from .commands import Commands
from .enums import OfflineMode
from .ids import ChargerId
from .readings import Readings, Value
from .writing import OF_CHARGER

WHEN_AWAY: Final[Mapping[ChargerId, Value]] = {
    ChargerId.ALLOW_OFFLINE_TX_FOR_UNKNOWN_ID: True,
    ChargerId.LOCAL_AUTHORIZE_OFFLINE_ENABLED: True,
    ChargerId.OFFLINE_CHARGING_MODE: OfflineMode.ALWAYS.number,
}
"""What a charger has to be told for that."""

type Before = Mapping[ChargerId, Value | None]


class OfflineBehavior:
    """Whom one charger charges while it reaches nobody."""

    def __init__(self, serial: str, commands: Commands, readings: Readings) -> None:
        """Read what the charger reports, and tell it by `commands`."""
        self._serial = serial
        self._commands = commands
        self._readings = readings

    def differing(self) -> dict[ChargerId, Value | None]:
        """Return what is not as it has to be, as it is; None for what is not known."""
        present = {number: self._readings.value(number) for number in WHEN_AWAY}
        return {one: is_ for one, is_ in present.items() if is_ != WHEN_AWAY[one]}

    async def set(self) -> Outcome | None:
        """Have the charger charge; None if it would anyway. Raises EaseeError."""
        return await self._write({one: WHEN_AWAY[one] for one in self.differing()})

    async def restore(self, before: Before) -> Outcome | None:
        """Have what we changed be as it was, unless somebody has changed it since."""
        differing = self.differing()
        return await self._write(
            {
                one: was
                for one, was in before.items()
                if was is not None and one not in differing
            }
        )

    async def _write(self, values: Mapping[ChargerId, Value]) -> Outcome | None:
        if not values:
            return None
        named = {OF_CHARGER[number]: value for number, value in values.items()}
        return await self._commands.settings(self._serial, named)
