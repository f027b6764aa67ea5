"""Reports: what a station sends in parts, under the number of our question."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from ...station.clock import CallLater, Timer, call_later as loop_call_later
from ...station.grid import GridControl
from ...station.monitoring import Monitor
from ...station.profiles.model import Installed
from ..adapter import StationContext
from ..rpc import Reply
from .charging_profiles import parse_profiles
from .described import described
from .device_model import DeviceModel, Variable
from .grid_reading import read_controls
from .monitors import read_monitors

PATIENCE = 30.0
"""Seconds that a part may take to come after the one before."""

GRACE = 2.0
"""Seconds that a first part may be late when all others are there."""

LONGEST = 900.0
"""Seconds that all parts together may take."""

MAX_ITEMS = 5000

MAX_PIECE = 512
"""Characters of what is told of a customer in one message."""

SERIES = "reports"
"""The numbers of our questions: none is ever used twice, not even after a restart."""


class Parts[T]:
    """The parts of one report that came so far."""

    def __init__(self, call_later: CallLater) -> None:
        """Wait for parts."""
        self._call_later = call_later
        self._timer: Timer | None = None
        self._end_timer: Timer | None = None
        self._numbers: set[int] = set()
        self._last: int | None = None
        self._over: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.items: list[T] = []
        """What the parts brought."""

    def add(self, items: list[T], number: int | None, *, more: bool) -> None:
        """Take a part; `number` is its place, None if parts have none."""
        if number is None:
            number = len(self._numbers)
        if number not in self._numbers:
            self._numbers.add(number)
            self.items += items[: MAX_ITEMS - len(self.items)]
        if not more:
            self._last = min(number, MAX_ITEMS)
        if len(self._numbers) > MAX_ITEMS:
            self._end(complete=False)
        elif self._has_all_from(0):
            self._end(complete=True)
        else:
            self._wait()

    def _has_all_from(self, first: int) -> bool:
        last = self._last
        return last is not None and self._numbers >= set(range(first, last + 1))

    async def complete(self) -> bool:
        """Return whether all parts came, once they did or have taken too long."""
        if not self._over.done():
            self._end_timer = self._call_later(LONGEST, self._give_up)
        self._wait()
        return await self._over

    def close(self) -> None:
        """Wait no longer."""
        for timer in (self._timer, self._end_timer):
            if timer is not None:
                timer.cancel()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self._over.done():
            # Some count from 1: then there is nothing more to wait for.
            patience = GRACE if self._has_all_from(1) else PATIENCE
            self._timer = self._call_later(patience, self._give_up)

    def _give_up(self) -> None:
        self._end(complete=self._has_all_from(1))

    def _end(self, *, complete: bool) -> None:
        self.close()
        if not self._over.done():
            self._over.set_result(complete)


class Reports:
    """What a station reports when it is asked to (2.0.1 B07, B08, K09)."""

    def __init__(
        self, context: StationContext, call_later: CallLater = loop_call_later
    ) -> None:
        """Know nothing of the station of `context`."""
        self._context = context
        self._call_later = call_later
        self.device_model = DeviceModel(self._tell)
        """What is known of the station's variables."""
        self._inventories: dict[int, Parts[Variable]] = {}
        self._profiles: dict[int, Parts[Installed]] = {}
        self._monitors: dict[int, Parts[Monitor]] = {}
        self._customers: dict[int, Parts[tuple[int, str]]] = {}
        self._controls: dict[int, Parts[GridControl]] = {}

    def _tell(self, variables: list[Variable]) -> None:
        """Bring what the model has of the variables up to date."""
        self._context.station.variables.put(map(described, variables))

    async def next_id(self) -> int:
        """Return the number of a question."""
        return await self._context.journal.next_number(SERIES)

    @contextmanager
    def inventory(self, request_id: int) -> Generator[Parts[Variable]]:
        """Gather the variables that answer a question."""
        with _gathered(self._inventories, request_id, self._call_later) as parts:
            yield parts

    @contextmanager
    def profiles(self, request_id: int) -> Generator[Parts[Installed]]:
        """Gather the charging profiles that answer a question."""
        with _gathered(self._profiles, request_id, self._call_later) as parts:
            yield parts

    @contextmanager
    def monitors(self, request_id: int) -> Generator[Parts[Monitor]]:
        """Gather the monitors that answer a question."""
        with _gathered(self._monitors, request_id, self._call_later) as parts:
            yield parts

    @contextmanager
    def controls(self, request_id: int) -> Generator[Parts[GridControl]]:
        """Gather the controls of the inverter that answer a question."""
        with _gathered(self._controls, request_id, self._call_later) as parts:
            yield parts

    @contextmanager
    def customers(self, request_id: int) -> Generator[Parts[tuple[int, str]]]:
        """Gather what is told of a customer: numbered pieces of a text."""
        with _gathered(self._customers, request_id, self._call_later) as parts:
            yield parts

    def notify_report(self, payload: dict[str, Any]) -> Reply:
        """Take a part of an inventory (NotifyReport), true whoever asked for it."""
        found = self.device_model.report(payload.get("reportData"))
        if (parts := self._inventories.get(payload["requestId"])) is not None:
            parts.add(found, payload["seqNo"], more=payload.get("tbc") is True)
        return Reply({})

    def notify_monitoring_report(self, payload: dict[str, Any]) -> Reply:
        """Take a part of the list of monitors (NotifyMonitoringReport)."""
        if (parts := self._monitors.get(payload["requestId"])) is not None:
            found = read_monitors(payload.get("monitor"))
            parts.add(found, payload["seqNo"], more=payload.get("tbc") is True)
        return Reply({})

    def notify_customer_information(self, payload: dict[str, Any]) -> Reply:
        """Take a part of what is known of a customer (NotifyCustomerInformation)."""
        if (parts := self._customers.get(payload["requestId"])) is not None:
            number = payload["seqNo"]
            told = [(number, payload["data"][:MAX_PIECE])]
            parts.add(told, number, more=payload.get("tbc") is True)
        return Reply({})

    def report_controls(self, payload: dict[str, Any]) -> Reply:
        """Take a part of the list of the inverter's controls (ReportDERControl)."""
        if (parts := self._controls.get(payload["requestId"])) is not None:
            found = read_controls(payload)
            parts.add(found, None, more=payload.get("tbc") is True)
        return Reply({})

    def report_charging_profiles(self, payload: dict[str, Any]) -> Reply:
        """Take a part of the list of charging profiles (ReportChargingProfiles)."""
        if (parts := self._profiles.get(payload["requestId"])) is not None:
            found = parse_profiles(payload, self._context.clock())
            parts.add(found, None, more=payload.get("tbc") is True)
        return Reply({})


@contextmanager
def _gathered[T](
    waiting: dict[int, Parts[T]], request_id: int, call_later: CallLater
) -> Generator[Parts[T]]:
    parts = waiting[request_id] = Parts[T](call_later)
    try:
        yield parts
    finally:
        del waiting[request_id]
        parts.close()
