"""What chargers and equalizers have in common: observations, and a line to the cloud."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from .clock import CloudClock
from .observations import DataType, Observation, Value, camel

CONNECTED = 250
DISCONNECT_REASON = 251


class Product:
    """Something with a serial number that reports to the cloud."""

    table: dict[int, tuple[str, DataType]]

    def __init__(self, serial: str, name: str, clock: CloudClock) -> None:
        """Create a product that is online and has nothing to say yet."""
        self.serial = serial
        self.name = name
        self.clock = clock
        self.online = True
        self.known: dict[int, Observation] = {}
        """The latest observations, as the cloud has them."""
        self.listeners: list[Callable[[Product, Observation], None]] = []
        self._kept: list[Observation] = []

    def __getitem__(self, number: int) -> Value:
        """Return the latest value of an observation, as the product has it."""
        for kept in reversed(self._kept):
            if kept.id == number:
                return kept.value
        return self.known[number].value

    def has(self, number: int) -> bool:
        """Return whether an observation was ever made."""
        return number in self.known or any(kept.id == number for kept in self._kept)

    def observe(
        self,
        number: int,
        value: Value,
        *,
        at: datetime | None = None,
        data_type: int | None = None,
        force: bool = False,
    ) -> None:
        """Report a value, if it is another one; while offline it is kept for later."""
        if data_type is None:
            data_type = self.table.get(number, ("", DataType.STRING))[1]
        if data_type == DataType.DOUBLE:
            value = round(float(value), 3)
        if not force and self.has(number) and self[number] == value:
            return
        observation = Observation(
            id=number, data_type=data_type, value=value, at=at or self.clock()
        )
        if self.online:
            self._deliver(observation)
        else:
            self._kept.append(observation)

    def observe_all(self, values: dict[int, Value]) -> None:
        """Report several values."""
        for number, value in values.items():
            self.observe(number, value)

    def _deliver(self, observation: Observation, *, store: bool = True) -> None:
        if store:
            self.known[observation.id] = observation
        for listener in [*self.listeners]:
            listener(self, observation)

    def pretend(
        self,
        number: int,
        value: Value,
        *,
        at: datetime | None = None,
        data_type: int | None = None,
    ) -> None:
        """Send a value down the stream that is not true, and not remembered."""
        if data_type is None:
            data_type = self.table.get(number, ("", DataType.STRING))[1]
        self._deliver(
            Observation(
                id=number, data_type=data_type, value=value, at=at or self.clock()
            ),
            store=False,
        )

    def go_offline(self, reason: str = "timeout") -> None:
        """Lose the line to the cloud; it is the cloud that says so."""
        if self.online:
            self.observe(CONNECTED, False)
            self.observe(DISCONNECT_REASON, reason)
            self.online = False

    def go_online(self) -> None:
        """Find the line again, and hand in what was kept, with its own times."""
        if not self.online:
            self.online = True
            kept, self._kept = self._kept, []
            for observation in kept:
                self._deliver(observation)
            self.observe(CONNECTED, True)

    def observations(
        self, numbers: Iterable[int] | None = None
    ) -> list[dict[str, Any]]:
        """Return what the state API knows of some numbers, or of all."""
        wanted = sorted(self.known) if numbers is None else numbers
        return [self.known[number].state() for number in wanted if number in self.known]

    def named(self, *numbers: int) -> dict[str, Value]:
        """Return observations under their names, as the older endpoints do."""
        return {
            camel(self.table[number][0]): self.known[number].value
            for number in numbers or sorted(self.known)
            if number in self.known and number in self.table
        }
