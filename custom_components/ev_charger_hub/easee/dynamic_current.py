"""Dynamic current: the volatile limit of a charger, which also pauses it (3.1, 3.2)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from decimal import ROUND_DOWN, Decimal
import logging
from typing import Any, Final

from ..station.channel import Channel
from ..station.errors import StationError
from ..station.outcome import Outcome, OutcomeStatus
from ..station.secrets import shortened
from .command_ids import CommandId
from .commands import Commands
from .echo import Echo
from .enums import OpMode
from .errors import Unavailable
from .ids import ChargerId
from .outcomes import FORBIDDEN, nobody_knows
from .readings import Readings, Value
from .refusals import Refusals
from .timing import Time, pause

_LOGGER = logging.getLogger(__name__)

LEAST: Final = Decimal(6)
"""The lowest current in A at which a vehicle can charge (IEC 61851-1)."""

AT_ONCE: Final = Decimal(7)
"""Below this many A the firmware waits five minutes before it starts (Q15)."""

MOST: Final = Decimal(40)
"""No charger takes more, in A."""

STOPPED: Final = 30.0
"""Seconds within which a vehicle that is paused lets go."""

ATTEMPTS: Final = 3
AGAIN: Final = 10.0
"""How often, and after how many seconds, a resume is tried that must not be missed."""

NO_CHANGE: Final = Outcome(status=OutcomeStatus.CONFIRMED, answer="no change")

PAUSABLE: Final = frozenset(
    {
        OpMode.AWAITING_START,
        OpMode.CHARGING,
        OpMode.COMPLETED,
        OpMode.READY_TO_CHARGE,
        OpMode.AWAITING_LOAD_BALANCING,
        OpMode.AWAITING_SMART_START,
        OpMode.AWAITING_SCHEDULED_START,
        OpMode.PAUSED_BY_EQUALIZER,
    }
)
"""Modes in which the cloud takes pause and resume; in others it refuses (Q13)."""

AWAITING_AUTHORIZATION: Final = frozenset(
    {OpMode.AWAITING_AUTHENTICATION, OpMode.AWAITING_AUTHORIZATION}
)

ABOUT_TO_START: Final = (
    PAUSABLE | AWAITING_AUTHORIZATION | {OpMode.AUTHENTICATING, OpMode.STARTING}
) - {OpMode.CHARGING, OpMode.COMPLETED}
"""Modes in which the next thing that happens may be a start."""

_NOT_SEEN: Final = "not reported yet"


class DynamicCurrent:
    """Writes the dynamic current of one charger, and sees that it got there."""

    def __init__(
        self,
        commands: Commands,
        readings: Readings,
        time: Time,
        serial: str,
        *,
        echo: Echo,
    ) -> None:
        """Have written nothing yet."""
        self._commands = commands
        self._readings = readings
        self._time = time
        self._serial = serial
        self._echo = echo
        self.interrupting = False
        """Whether charging is interrupted by us, for a moment."""
        self.refusals = Refusals(time)
        """What was refused since something was not."""
        self.written: Decimal | None = None
        """What we wrote last and still mean, in A."""
        self.writing: Channel[int] = Channel(0, urgent=True)
        """How many commands that change it are under way."""

    @property
    def present(self) -> Decimal | None:
        """Return what the charger reports, in A."""
        number = self._readings.number(ChargerId.DYNAMIC_CHARGER_CURRENT)
        return None if number is None else Decimal(str(number))

    @property
    def maximum(self) -> Decimal:
        """Return what the charger may offer at most, in A."""
        number = self._readings.number(ChargerId.MAX_CHARGER_CURRENT)
        return MOST if number is None else Decimal(str(number))

    @property
    def _mode(self) -> OpMode | None:
        return OpMode.of(self._readings.value(ChargerId.CHARGER_OP_MODE))

    # What users mean

    async def limit(self, amps: Decimal, lasts: int | None = None) -> Outcome:
        """Let no more flow than so many A; 0 pauses, more resumes after a pause."""
        with self._writing():
            if amps < LEAST:
                return await self._pause(lasts)
            if self._resumable:
                self._check(amps)
                outcome = await self._resume()
                if not outcome.ok:
                    return outcome
            return await self._write(self._startable(amps), lasts)

    async def clear(self) -> Outcome:
        """Let as much flow as other limits let through."""
        with self._writing():
            resumed = self._resumable
            outcome = await self._resume() if resumed else NO_CHANGE
            low = self.present is None or self.present < self._reset
            # What was not resumed may have a time to live, of which nobody tells.
            if outcome.ok and (low or not resumed):
                outcome = await self._write(self.maximum)
            if outcome.ok:
                self.written = None
            return outcome

    async def restart(self) -> Outcome:
        """Interrupt charging, so that what counts from a start counts from now on."""
        before, written = self.present, self.written
        with self._writing(), self._interrupting():
            if before is not None:
                self._check(before)
            outcome = await self._pause()
            if not outcome.ok:
                return outcome
            mode = ChargerId.CHARGER_OP_MODE
            await self._echo.seen(mode, _not_charging, seconds=STOPPED)
            outcome = await self._resume_surely()
            if outcome.ok and before is not None and LEAST <= before < self._reset:
                outcome = await self._write(self._startable(before))
            if outcome.ok and before != written:
                # It is what somebody else had set.
                self.written = None
            return outcome

    async def prepare(self) -> Outcome:
        """Let enough flow that the firmware starts without a delay (A18)."""
        present = self.present
        if present is None or not 0 < present < AT_ONCE or self.maximum < AT_ONCE:
            return NO_CHANGE
        with self._writing():
            return await self._write(AT_ONCE)

    # How that is written

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self.writing.set(self.writing.value + 1)
        try:
            yield
        finally:
            self.writing.set(self.writing.value - 1)

    @contextmanager
    def _interrupting(self) -> Iterator[None]:
        self.interrupting = True
        try:
            yield
        finally:
            self.interrupting = False

    @property
    def _resumable(self) -> bool:
        """Return whether charging is paused in a way that the cloud resumes."""
        enabled = self._readings.flag(ChargerId.IS_ENABLED) is not False
        return self.present == 0 and enabled and self._mode in PAUSABLE

    @property
    def _reset(self) -> Decimal:
        """Return what a resume, or the next vehicle, sets it to at least, in A."""
        return min(self.maximum, Decimal(32))

    def _check(self, amps: Decimal) -> None:
        """See to it that a resume, which lets everything flow, can be limited at once."""
        if amps < self._reset:
            self._commands.check(self._serial, {"amps": amps})

    def _startable(self, amps: Decimal) -> Decimal:
        """Return what to write so that a start is not held up by the firmware."""
        if amps < AT_ONCE and self._mode in ABOUT_TO_START:
            return min(AT_ONCE, max(self.maximum, LEAST))
        return amps

    async def _write(self, amps: Decimal, lasts: int | None = None) -> Outcome:
        amps = max(min(amps, self.maximum), LEAST).quantize(Decimal("0.1"), ROUND_DOWN)
        return await self._set(amps, lasts)

    async def _set(self, amps: Decimal, lasts: int | None) -> Outcome:
        whole = amps == amps.to_integral_value()
        minutes = 0 if lasts is None else -(-lasts // 60)
        body = {"amps": int(amps) if whole else float(amps), "minutes": minutes}
        return await self._send("set_dynamic_charger_current", amps, body)

    async def _pause(self, lasts: int | None = None) -> Outcome:
        if lasts is None and self._mode in PAUSABLE:
            return await self._send("pause_charging", Decimal(0))
        return await self._set(Decimal(0), lasts)

    async def _resume(self) -> Outcome:
        """Resume, which sets it to 32 A whatever it was before (Q16)."""
        return await self._send("resume_charging", None)

    async def _resume_surely(self) -> Outcome:
        outcome = await self._resume()
        for _ in range(ATTEMPTS - 1):
            if outcome.ok:
                break
            await pause(self._time, AGAIN)
            outcome = await self._resume()
        return outcome

    async def _send(
        self, name: str, amps: Decimal | None, body: Mapping[str, Any] | None = None
    ) -> Outcome:
        """Send a command, and return what became of it by what the charger reports."""
        before, self.written = self.written, amps
        number = CommandId.SET_DYNAMIC_CHARGER_CURRENT
        try:
            outcome = await self._commands.command(
                self._serial, name, body, expects=number
            )
        except Unavailable as err:
            outcome = nobody_knows(err)
        except StationError:
            self.written = before
            raise
        unsure = outcome.status is OutcomeStatus.TIMED_OUT
        if not (outcome.ok or unsure):
            self.written = before
            forbidden = outcome.answer == FORBIDDEN
            self.refusals.add(shut=forbidden and await self._echo.shut())
            return outcome
        if outcome.ok:
            self.refusals.forget()
        if await self._reported(amps):
            return replace(outcome, status=OutcomeStatus.CONFIRMED)
        _LOGGER.debug("%s: %s is %s", shortened(self._serial), name, _NOT_SEEN)
        if amps is None:
            # A pause that does not end is still whose it was.
            self.written = before
        if unsure:
            return outcome
        detail = outcome.detail or _NOT_SEEN
        return replace(outcome, status=OutcomeStatus.ACCEPTED, detail=detail)

    async def _reported(self, amps: Decimal | None) -> bool:
        """Return whether the charger comes to report a current; None is any but 0."""

        def holds(value: Value | None) -> bool:
            if not isinstance(value, int | float):
                return False
            if amps is None:
                return value > 0
            return abs(Decimal(str(value)) - amps) < Decimal("0.05")

        number = ChargerId.DYNAMIC_CHARGER_CURRENT
        return await self._echo.seen(number, holds)


def _not_charging(value: Value | None) -> bool:
    return value != OpMode.CHARGING.number
