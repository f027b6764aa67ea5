"""Meter values: with transactions and without, by interval and by the clock (block J)."""

from datetime import timedelta
from typing import TYPE_CHECKING

from .timers import Act, Timer
from .transactions import BEGIN, END, Transaction
from .values import Json, MeterValue, TriggerReason

if TYPE_CHECKING:
    from .station import ChargingStation

CLOCK = "Sample.Clock"
PERIODIC = "Sample.Periodic"


class Metering:
    """The part of a station that passes on what its meters say."""

    def __init__(self, station: ChargingStation) -> None:
        """Serve one station whose meters said nothing yet."""
        self._station = station
        self.last: dict[int, MeterValue] = {}
        """What each EVSE's meter said last; 0 is the whole station's."""
        self._new: set[int] = set()
        self._aligned: Timer | None = None

    def take(self, evse_id: int, value: MeterValue) -> None:
        """Remember what a meter says; it is told when its time has come."""
        self.last[evse_id] = value
        self._new.add(evse_id)

    def energy(self, evse_id: int) -> float:
        """Return the energy register of an EVSE in Wh; 0 where it said nothing."""
        last = self.last.get(evse_id)
        return (last and last.energy) or 0.0

    # In a transaction

    def begin(self, transaction: Transaction, value: MeterValue) -> None:
        """Follow a transaction, in the intervals that are configured now."""
        self.take(transaction.evse_id, value)
        model = self._station.model
        ended = model.members("SampledDataCtrlr.TxEndedMeasurands")
        if (first := value.wire(ended, BEGIN)) is not None:
            transaction.samples.append(first)
        self.resume(transaction)

    def resume(self, transaction: Transaction) -> None:
        """Sample as long as a transaction goes on."""
        model = self._station.model

        async def periodic() -> None:
            self._update(transaction, PERIODIC, TriggerReason.METER_VALUE_PERIODIC)

        async def ended() -> None:
            self._store(transaction, "SampledDataCtrlr.TxEndedMeasurands", PERIODIC)

        async def aligned_ended() -> None:
            self._store(transaction, "AlignedDataCtrlr.TxEndedMeasurands", CLOCK)

        for name, act in (
            ("SampledDataCtrlr.TxUpdatedInterval", periodic),
            ("SampledDataCtrlr.TxEndedInterval", ended),
            ("AlignedDataCtrlr.TxEndedInterval", aligned_ended),
        ):
            aligned = name.startswith("Aligned")
            self._repeat(transaction, model.number(name), act, aligned=aligned)

    def _repeat(
        self,
        transaction: Transaction,
        interval: int,
        act: Act,
        *,
        aligned: bool,
    ) -> None:
        """Do something again and again while a transaction is open."""
        if interval <= 0:
            return

        async def again() -> None:
            if self._station.transactions.find(transaction.id) is None:
                return
            await act()
            self._repeat(transaction, interval, act, aligned=aligned)

        wait = self._to_grid(interval) if aligned else interval
        self._station.timers.after(wait, again)

    def _update(
        self, transaction: Transaction, context: str, trigger: TriggerReason
    ) -> None:
        """Tell the last value of a transaction's meter."""
        name = "SampledDataCtrlr.TxUpdatedMeasurands"
        if context == CLOCK:
            name = "AlignedDataCtrlr.Measurands"
        if (value := self._chosen(transaction.evse_id, name, context)) is not None:
            update = self._station.transactions.update
            update(transaction, trigger, meterValue=[value])

    def _store(self, transaction: Transaction, name: str, context: str) -> None:
        """Keep the last value for the end of a transaction."""
        if (value := self._chosen(transaction.evse_id, name, context)) is not None:
            transaction.samples.append(value)

    def _chosen(self, evse_id: int, name: str, context: str) -> Json | None:
        last = self.last.get(evse_id)
        if last is None:
            return None
        return last.wire(self._station.model.members(name), context)

    def end(self, transaction: Transaction, value: MeterValue) -> list[Json]:
        """Return all that the end of a transaction tells of the meter."""
        self.take(transaction.evse_id, value)
        self._store(transaction, "SampledDataCtrlr.TxEndedMeasurands", END)
        return transaction.samples

    # By the clock

    def align(self) -> None:
        """Begin to follow the clock, unless the interval is 0."""
        if self._aligned is not None:
            self._aligned.cancel()
        interval = self._station.model.number("AlignedDataCtrlr.Interval")
        if interval > 0:
            wait = self._to_grid(interval)
            self._aligned = self._station.timers.after(wait, self._on_grid)

    def _to_grid(self, interval: int) -> float:
        """Return the seconds to the next multiple of an interval since midnight UTC."""
        now = self._station.clock()
        since = now - now.replace(hour=0, minute=0, second=0, microsecond=0)
        left = timedelta(seconds=interval) - since % timedelta(seconds=interval)
        return left.total_seconds()

    async def _on_grid(self) -> None:
        station = self._station
        for evse_id in (0, *range(1, len(station.evses) + 1)):
            if (transaction := station.transactions.running.get(evse_id)) is None:
                if evse_id in self._new:
                    self._send(evse_id, CLOCK)
            elif not station.model.flag("AlignedDataCtrlr.SendDuringIdle"):
                self._update(transaction, CLOCK, TriggerReason.METER_VALUE_CLOCK)
        self.align()

    def _send(self, evse_id: int, context: str, *, asked: bool = False) -> None:
        """Tell the last value of a meter outside of any transaction (J01)."""
        value = self._chosen(evse_id, "AlignedDataCtrlr.Measurands", context)
        if value is not None:
            self._new.discard(evse_id)
            payload = {"evseId": evse_id, "meterValue": [value]}
            self._station.queue.post("MeterValues", payload, asked=asked)

    # On request

    def trigger_values(self, evse_ids: list[int]) -> None:
        """Tell the last values of some meters, because it was asked for."""
        for evse_id in evse_ids:
            self._send(evse_id, "Trigger", asked=True)

    def trigger_transactions(self, transactions: list[Transaction]) -> None:
        """Tell how some transactions are, because it was asked for."""
        for one in transactions:
            self._update(one, "Trigger", TriggerReason.TRIGGER)
