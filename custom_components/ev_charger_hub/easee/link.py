"""Link: the commands of a station, as the Easee cloud carries them (easee_cloud.md 3.1)."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from typing import Final, override

from ..station import limits
from ..station.errors import NotConnected, NotSupported
from ..station.limiter.limiter import Limiter
from ..station.limits import LimitError, in_ampere
from ..station.link import Capability, Limit, LinkKind
from ..station.model import ChargingStation, Evse
from ..station.outcome import Outcome, OutcomeStatus
from .command_ids import CommandId
from .commands import Commands
from .dynamic_current import AWAITING_AUTHORIZATION, NO_CHANGE, DynamicCurrent
from .echo import Echo
from .enums import NoCurrentReason, OpMode, OutputPhase, PhaseMode
from .errors import Hindered, Hindrance, Unavailable
from .ids import ChargerId
from .outcomes import nobody_knows
from .readings import Readings, Value
from .timing import Time
from .unsupported import NOT_SUPPORTED, UnsupportedCommands

EVSE: Final = 1
"""A charger has one socket."""

CAPABILITIES: Final = frozenset(
    {
        Capability.AVAILABILITY,
        Capability.LIMIT,
        Capability.PHASES,
        Capability.RESET,
        Capability.SINGLE_LIMIT,
        Capability.START_STOP,
    }
)

START: Final = 30.0
"""Seconds within which a vehicle that was paused for a moment charges again."""

_ERROR: Final = "the charger reports an error", Hindrance.FAULTY

_MODES: Final = {
    1: PhaseMode.SINGLE_PHASE,
    3: PhaseMode.THREE_PHASES,
    None: PhaseMode.AUTOMATIC,
}

_CANNOT_START: Final = {
    OpMode.DISCONNECTED: ("no vehicle", Hindrance.NO_VEHICLE),
    OpMode.DEAUTHENTICATING: ("the last session is ending", Hindrance.STILL_ENDING),
    OpMode.ERROR: _ERROR,
    OpMode.ERRATIC_VEHICLE: ("the vehicle behaves erratically", Hindrance.ERRATIC),
    OpMode.TOO_HOT: ("the charger is too hot", Hindrance.TOO_HOT),
    OpMode.DEAD_POWER_BOARD: _ERROR,
    OpMode.OVERCURRENT: _ERROR,
    OpMode.PEN_FAULT: _ERROR,
}
_UNREACHABLE: Final = frozenset({OpMode.OFFLINE, OpMode.LINK_LOST})

_WAITING: Final = frozenset({OpMode.COMPLETED, OpMode.READY_TO_CHARGE})
"""Modes in which it is up to the vehicle."""


class EaseeLink(UnsupportedCommands):
    """The way to a charger by the Easee cloud."""

    kind = LinkKind.EASEE

    def __init__(
        self,
        commands: Commands,
        readings: Readings,
        time: Time,
        *,
        serial: str,
        reachable: Callable[[], bool],
        echo: Echo,
    ) -> None:
        """Carry commands for one charger, as long as it is `reachable`."""
        self._commands = commands
        self._readings = readings
        self._serial = serial
        self._reachable = reachable
        self._echo = echo
        self._served: ChargingStation | None = None
        self.current = DynamicCurrent(commands, readings, time, serial, echo=echo)

    def serve(self, station: ChargingStation) -> None:
        """Know the station whose limits count when it is started or stopped."""
        self._served = station

    @property
    def _station(self) -> ChargingStation:
        if self._served is None:
            raise NotSupported
        return self._served

    @property
    def _limiter(self) -> Limiter:
        if self._station.limiter is None:
            raise NotSupported
        return self._station.limiter

    @property
    @override
    def connected(self) -> bool:
        """Return whether a command would be sent now."""
        return self._reachable()

    @property
    @override
    def capabilities(self) -> frozenset[Capability]:
        """Return what the cloud carries."""
        return CAPABILITIES

    @property
    def mode(self) -> OpMode | None:
        """Return what the charger does, None if that is not known."""
        return OpMode.of(self._readings.value(ChargerId.CHARGER_OP_MODE))

    @property
    def _evse(self) -> Evse:
        return self._station.evse(EVSE)

    # Limits

    @property
    @override
    def limit_in_force(self) -> Decimal | None:
        """Return the dynamic current of the charger, in A."""
        return self.current.present

    @property
    @override
    def limit_written(self) -> Decimal | None:
        """Return what we wrote there last, in A."""
        return self.current.written

    @property
    @override
    def limit_afterwards(self) -> Decimal | None:
        """Return the offline limit of the circuit, which only its primary charger knows."""
        first = ChargerId.OFFLINE_MAX_CIRCUIT_CURRENT_P1
        known = [self._readings.number(first + phase) for phase in range(3)]
        amps = [Decimal(str(one)) for one in known if one is not None]
        return max(amps, default=None)

    @override
    async def set_limit(
        self, evse_id: int, limit: Limit, lasts: int | None = None
    ) -> Outcome:
        """Set the dynamic current; 0 pauses, and more than that ends a pause."""
        if evse_id not in {0, EVSE}:
            return NOT_SUPPORTED
        return await self.current.limit(in_ampere(limit, self._evse.phases), lasts)

    @override
    async def clear_limit(self, evse_id: int) -> Outcome:
        """Set the dynamic current to what the charger may offer at most."""
        return await self.current.clear()

    # Phases

    @override
    async def set_phases(self, evse_id: int, phases: int | None) -> Outcome:
        """Lock the charger to one or three phases; None leaves it to the charger.

        That counts from the next start (3.3): a vehicle that charges is interrupted.
        """
        if phases not in _MODES:
            return NOT_SUPPORTED
        number, wanted = ChargerId.PHASE_MODE, _MODES[phases].number
        if self._readings.value(number) != wanted:
            outcome = await self._surely(
                lambda: self._commands.settings(self._serial, {"phaseMode": wanted}),
                number,
                wanted,
            )
            if not outcome.ok:
                return outcome
        else:
            outcome = NO_CHANGE
        if not self._needs_restart(phases, changed=outcome is not NO_CHANGE):
            return outcome
        restarted = await self.current.restart()
        if restarted.ok:
            return outcome
        told = restarted.answer or restarted.status
        return replace(outcome, detail=f"counts from the next start on: {told}")

    @override
    async def phases_followed(self, evse_id: int, phases: int | None) -> bool | None:
        """Return whether a vehicle comes to charge with one phase where that is wanted.

        With three it may well charge with fewer, if it has no more.
        """
        if phases != 1 or not (self.mode is OpMode.CHARGING or self._goes_on):
            return None
        for number, holds in (
            (ChargerId.CHARGER_OP_MODE, _charging),
            (ChargerId.OUTPUT_PHASE, _single_phase),
        ):
            if not await self._echo.seen(number, holds, seconds=START):
                break
        used = self._phases_used
        return None if self.mode is not OpMode.CHARGING or not used else used == 1

    @property
    def _goes_on(self) -> bool:
        """Return whether a vehicle that was interrupted is about to charge again."""
        waits = self.mode in {OpMode.AWAITING_START, OpMode.READY_TO_CHARGE}
        return waits and bool(self.current.present)

    @property
    def _phases_used(self) -> int | None:
        """Return with how many phases a vehicle charges."""
        used = OutputPhase.of(self._readings.value(ChargerId.OUTPUT_PHASE))
        return None if used is None else used.phases

    def _needs_restart(self, phases: int | None, *, changed: bool) -> bool:
        """Return whether a vehicle charges with phases that are not those wanted."""
        if self.mode is not OpMode.CHARGING:
            return False
        if phases == 1:
            return self._phases_used != 1
        # A vehicle with one phase uses no more, whatever the charger is set to.
        return changed and self._phases_used == 1

    # Start and stop

    @override
    async def start_charging(
        self, evse_id: int | None, id_token: str, limit: Limit | None = None
    ) -> Outcome:
        """Authorize the vehicle that waits for it, or end a pause.

        Nobody is told the id token: the cloud knows whose account this is.
        """
        if evse_id not in {None, 0, EVSE}:
            return NOT_SUPPORTED
        if (mode := self.mode) in _UNREACHABLE:
            raise NotConnected
        if mode in _CANNOT_START:
            return _refused(*_CANNOT_START[mode])
        if self._readings.flag(ChargerId.IS_ENABLED) is False:
            outcome = await self._enable(True)
            if not outcome.ok:
                return outcome
        if limit is not None:
            self._limiter.reported.begins_with(EVSE, limit)
        if self.mode in AWAITING_AUTHORIZATION:
            return await self._authorize()
        return await self._go_on()

    async def _authorize(self) -> Outcome:
        """Let a vehicle charge that waits for somebody to allow it (Q14)."""
        outcome = await self._resume() if self._held else NO_CHANGE
        if outcome.ok:
            outcome = await self.current.prepare()
        if not outcome.ok:
            return outcome
        command = CommandId.AUTHORIZE_CHARGING
        return await self._command("start_charging", command)

    async def _go_on(self) -> Outcome:
        """Let a vehicle go on that nobody but us or the cloud keeps from charging."""
        if self._held:
            return await self._resume()
        if self.mode is OpMode.CHARGING:
            return NO_CHANGE
        if self.mode in _WAITING:
            answer = "waiting for the vehicle"
            return Outcome(status=OutcomeStatus.ACCEPTED, answer=answer)
        reason = NoCurrentReason.of(
            self._readings.value(ChargerId.REASON_FOR_NO_CURRENT)
        )
        if reason in {None, NoCurrentReason.NONE}:
            return Outcome(status=OutcomeStatus.ACCEPTED, answer="waiting")
        return _refused(f"waiting: {reason}", Hindrance.WAITS, str(reason))

    @property
    def _held(self) -> bool:
        """Return whether charging is paused, or is to be."""
        return limits.paused(self._evse) or self.current.present == 0

    async def _resume(self) -> Outcome:
        return _told(await limits.resume(self._station, EVSE), "resumed")

    @override
    async def stop_charging(self, transaction_id: str) -> Outcome:
        """Take the authorization back where one is required, else pause; say which."""
        session = self._evse.transaction
        if session is not None and transaction_id not in {
            session.transaction_id,
            session.cloud_id,
        }:
            return _refused("that session is over", Hindrance.OVER)
        if self._readings.flag(ChargerId.AUTHORIZATION_REQUIRED):
            command = CommandId.DEAUTHORIZE_CHARGING
            return _told(await self._command("stop_charging", command), "stopped")
        if limits.paused(self._evse) and self.current.present == 0:
            return _told(NO_CHANGE, "paused")
        try:
            return _told(await limits.pause(self._station, EVSE), "paused")
        except LimitError:
            return _refused("no session", Hindrance.OVER)

    # In and out of service

    @override
    async def reset(
        self, *, hard: bool, evse_id: int | None = None, resume: bool = False
    ) -> Outcome:
        """Reboot the charger; there is but one way to do that."""
        if resume or evse_id not in {None, 0, EVSE}:
            return NOT_SUPPORTED
        return await self._command("reboot", CommandId.REBOOT)

    @override
    async def change_availability(
        self, evse_id: int, *, operative: bool, connector_id: int | None = None
    ) -> Outcome:
        """Enable the charger, or disable it."""
        if evse_id not in {0, EVSE} or connector_id not in {None, 1}:
            return NOT_SUPPORTED
        return await self._enable(operative)

    async def _enable(self, on: bool) -> Outcome:
        return await self._surely(
            lambda: self._commands.settings(self._serial, {"enabled": on}),
            ChargerId.IS_ENABLED,
            on,
        )

    # How that is sent

    async def _command(self, name: str, number: CommandId) -> Outcome:
        return await _known(self._commands.command(self._serial, name, expects=number))

    async def _surely(
        self, send: Callable[[], Awaitable[Outcome]], number: int, wanted: Value
    ) -> Outcome:
        """Send something, and see whether the charger reports that it has its effect."""
        outcome = await _known(send())
        unsure = outcome.status is OutcomeStatus.TIMED_OUT
        if not (outcome.ok or unsure):
            return outcome
        if await self._echo.seen(number, lambda value: value == wanted):
            return replace(outcome, status=OutcomeStatus.CONFIRMED)
        return outcome if unsure else replace(outcome, status=OutcomeStatus.ACCEPTED)


async def _known(sending: Awaitable[Outcome]) -> Outcome:
    """Return what became of a command; that nobody knows is an outcome, too."""
    try:
        return await sending
    except Unavailable as err:
        return nobody_knows(err)


def _refused(answer: str, why: Hindrance, reason: str = "") -> Outcome:
    """Return the outcome of what makes no sense to be sent."""
    cause = Hindered(why, reason)
    return Outcome(status=OutcomeStatus.REJECTED, answer=answer, cause=cause)


def _told(outcome: Outcome, answer: str) -> Outcome:
    """Return a good outcome with what was done; a newer wish makes it no failure."""
    if outcome.status is OutcomeStatus.SUPERSEDED:
        return Outcome(status=OutcomeStatus.ACCEPTED, answer="superseded")
    return replace(outcome, answer=answer) if outcome.ok else outcome


def _charging(value: Value | None) -> bool:
    return OpMode.of(value) is OpMode.CHARGING


def _single_phase(value: Value | None) -> bool:
    used = OutputPhase.of(value)
    return used is not None and used.phases == 1
