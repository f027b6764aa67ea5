"""Equalizer: the meter of a house, and what it leaves for cars (easee_cloud.md 2.2)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
import logging
from typing import Any, Final, Protocol
from urllib.parse import quote

import orjson

from ..station.channel import Channel
from ..station.outcome import Outcome, OutcomeStatus
from ..station.secrets import shortened
from .errors import EaseeError
from .ids import EqualizerId
from .json_values import a_list, an_object, number
from .liveness import Liveness
from .outcomes import NO_CHANGE
from .products import EqualizerInfo
from .reading_values import observation_of_state
from .readings import Observation, Readings
from .register import Register
from .requests import Requests
from .sites import Sites, allocation_path, surplus_path
from .surplus import USUAL_IMPORT, Surplus, SurplusMode, surplus_of_reading, wanted
from .timing import Time, limit

_LOGGER = logging.getLogger(__name__)

CONFIGURE_FUSE: Final = 15
"""The command that the allocated current becomes."""
ECHO: Final = (2.0, 6.0, 12.0)
"""Seconds that an equalizer is given to report what it was told, before each question."""

COUNTED: Final = (
    EqualizerId.CUMULATIVE_ACTIVE_POWER_IMPORT,
    EqualizerId.CUMULATIVE_ACTIVE_POWER_EXPORT,
    EqualizerId.CUMULATIVE_REACTIVE_POWER_IMPORT,
    EqualizerId.CUMULATIVE_REACTIVE_POWER_EXPORT,
)
"""The registers of the meter, reported in kWh and kvarh."""

UNKNOWN_MODE: Final = Outcome(
    status=OutcomeStatus.NOT_SUPPORTED, answer="unknown surplus mode"
)
SURPLUS_OFF: Final = Outcome(
    status=OutcomeStatus.NOT_SUPPORTED, answer="surplus is off"
)


@dataclass(kw_only=True, slots=True, frozen=True)
class SiteStructure:
    """What an equalizer guards, in A: the fuse, what may last, and what cars may have."""

    rated: float | None = None
    continuous: float | None = None
    allocated: float | None = None


class Sends(Protocol):
    """What an equalizer needs of Commands."""

    async def send(
        self,
        serial: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        expects: int | None = None,
    ) -> Outcome:
        """Send a request that becomes a command, and return its outcome."""


class Equalizer:
    """An equalizer: what it reports, whether it is there, and what it can be told."""

    def __init__(
        self, info: EqualizerInfo, time: Time, *, commands: Sends, requests: Requests
    ) -> None:
        """Know nothing of it but its name."""
        self.info = info
        self.readings = Readings()
        self.liveness = Liveness(time)
        self.structure: Channel[SiteStructure | None] = Channel(None, urgent=True)
        self.surplus: Channel[Surplus | None] = Channel(None, urgent=True)
        self.energies: dict[int, Channel[int | None]] = {
            one: Channel(None) for one in COUNTED
        }
        """What the registers have counted, in whole Wh and varh."""
        self.registers: dict[int, Register] = {one: Register() for one in COUNTED}
        self._time = time
        self._commands = commands
        self._requests = requests
        self._sites = Sites(requests)
        self._usual_import = USUAL_IMPORT

    @property
    def serial(self) -> str:
        """Return the serial number."""
        return self.info.serial

    @property
    def online(self) -> Channel[bool]:
        """Return whether it is connected and its values are fresh."""
        return self.liveness.online

    @property
    def firmware(self) -> int | None:
        """Return the number of the firmware."""
        release = self.readings.number(EqualizerId.SOFTWARE_RELEASE)
        return None if release is None else int(release)

    def take(self, observation: Observation, *, replay: bool = False) -> None:
        """Take in what it reported; what is told again says nothing of its clock."""
        if self.readings.take(observation):
            self._reported(observation, replay=replay)

    def lose(self) -> None:
        """Be gone: the account has it no longer."""
        self.liveness.lose()

    def stop(self) -> None:
        """Follow nothing more."""
        self.liveness.stop()

    def restore(self, number: int, kept: dict[str, Any]) -> None:
        """Count on from what a register was before a restart; ValueError if unreadable.

        That may be minutes before we were killed: it is outdated until it is told.
        """
        register, energy = self.registers[number], self.energies[number]
        told = register.restore(kept)
        energy.set(register.total)
        energy.outdated = not told

    def _reported(self, observation: Observation, *, replay: bool) -> None:
        """Understand what is more than a value."""
        value, at = observation.value, observation.at
        match observation.id:
            case EqualizerId.CONNECTED_TO_CLOUD:
                if not isinstance(value, str):
                    self.liveness.connected(bool(value), at, replay=replay)
                return
            case EqualizerId.CLOUD_DISCONNECT_REASON:
                # It is the cloud that says so.
                return
            case EqualizerId.SITE_STRUCTURE if isinstance(value, str):
                self.structure.set(_structure(value))
            case EqualizerId.SURPLUS_CHARGING if isinstance(value, str):
                self._use_surplus(surplus_of_reading(value))
            case counted if counted in self.registers and type(value) in (int, float):
                self._count(counted, float(value), at)
        self.liveness.seen(at, replay=replay)

    def _count(self, number: int, value: float, at: datetime) -> None:
        """Count what a register of the meter shows in kWh or kvarh."""
        register = self.registers[number]
        if register.take(round(value * 1000), at):
            self.energies[number].set(register.total, at)

    def _use_surplus(self, surplus: Surplus | None) -> None:
        if surplus is not None and surplus.mode is SurplusMode.WITH_IMPORT:
            self._usual_import = surplus.import_current
        self.surplus.set(surplus)

    async def set_max_allocated(self, amps: int) -> Outcome:
        """Set how much all cars may have together in A, and wait for the echo.

        It is kept in memory that wears out: what is there already is not written.
        """

        def there() -> bool:
            structure = self.structure.value
            return structure is not None and structure.allocated == amps

        if await self._is_so(there, self._read_structure):
            return NO_CHANGE
        outcome = await self._commands.send(
            self.serial,
            "POST",
            allocation_path(self.serial),
            {"maxCurrent": amps},
            expects=CONFIGURE_FUSE,
        )
        if not outcome.ok:
            return outcome
        await self._settle(self.structure, there, self._read_structure)
        if there():
            return outcome
        structure = self.structure.value
        return _different(None if structure is None else structure.allocated)

    async def set_surplus_mode(self, mode: SurplusMode) -> Outcome:
        """Set how surplus is used; the added import is what it was last."""
        return await self.set_surplus(wanted(mode, self._usual_import))

    async def set_surplus_import(self, amps: float) -> Outcome:
        """Set what may be added from the grid in A; 0 is surplus only.

        The cloud forgets it while surplus is off, and what a mode needs that is not
        known here nobody can tell: both are refused.
        """
        match self.surplus.value:
            case Surplus(mode=SurplusMode.WITH_IMPORT | SurplusMode.ONLY):
                mode = SurplusMode.WITH_IMPORT if amps else SurplusMode.ONLY
                return await self.set_surplus(wanted(mode, amps))
            case Surplus(mode=SurplusMode.NONE):
                return SURPLUS_OFF
        return UNKNOWN_MODE

    async def set_surplus(self, surplus: Surplus) -> Outcome:
        """Set how surplus is used unless it is already, and wait for the echo."""

        def there() -> bool:
            now = self.surplus.value
            return now is not None and _use(now) == _use(surplus)

        if await self._is_so(there, self._read_surplus):
            return NO_CHANGE
        path = surplus_path(self.serial)
        outcome = await self._commands.send(self.serial, "POST", path, surplus.config())
        if not outcome.ok:
            return outcome
        await self._settle(self.surplus, there, self._read_surplus)
        if there():
            return outcome
        match self.surplus.value:
            case Surplus(import_current=amps, raw=raw):
                return _different(amps, raw)
        return _different(None)

    async def _is_so(
        self, there: Callable[[], bool], read: Callable[[], Awaitable[None]]
    ) -> bool:
        """Return whether the cloud says that something is there already."""
        if not there():
            return False
        try:
            await read()
        except EaseeError as err:
            # What nobody confirms is written.
            _LOGGER.debug("%s: not read: %r", shortened(self.serial), type(err))
            return False
        return there()

    async def _settle(
        self,
        channel: Channel[Any],
        there: Callable[[], bool],
        read: Callable[[], Awaitable[None]],
    ) -> None:
        """Wait until the equalizer reports what it was told; ask if it does not."""
        changed = asyncio.Event()
        unsubscribe = channel.subscribe(changed.set)
        try:
            for patience in ECHO:
                if await self._comes(changed, there, patience):
                    return
                await read()
        except EaseeError as err:
            _LOGGER.debug("%s: not read: %r", shortened(self.serial), type(err))
        finally:
            unsubscribe()

    async def _comes(
        self, changed: asyncio.Event, there: Callable[[], bool], seconds: float
    ) -> bool:
        """Return whether something is there in so many seconds."""
        try:
            async with limit(self._time, seconds):
                while not there():
                    changed.clear()
                    await changed.wait()
        except TimeoutError:
            return there()
        return True

    async def _read_structure(self) -> None:
        path = f"/state/{quote(self.serial, safe='')}/observations"
        number = int(EqualizerId.SITE_STRUCTURE)
        reply = await self._requests.request("GET", path, params={"ids": str(number)})
        for item in a_list(an_object(reply.body).get("observations")):
            seen = observation_of_state(self.serial, item, self._time())
            if seen is not None:
                self.take(seen, replay=True)

    async def _read_surplus(self) -> None:
        # How surplus is used is the cloud's to decide: it knows without the equalizer.
        self._use_surplus(await self._sites.surplus(self.serial))


def _structure(text: str) -> SiteStructure | None:
    """Return what an equalizer guards, None if it is not to be read."""
    try:
        body = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(body, dict):
        return None
    return SiteStructure(
        rated=number(body.get("ratedCurrent")),
        continuous=number(body.get("maxContinuousCurrent")),
        allocated=number(body.get("maxAllocatedCurrent")),
    )


def _use(surplus: Surplus) -> tuple[SurplusMode | None, float]:
    """Return what of a use of surplus counts: firmware and cloud name modes differently."""
    if surplus.mode is SurplusMode.WITH_IMPORT:
        return surplus.mode, surplus.import_current
    return surplus.mode, 0.0


def _different(amps: float | None, mode: str = "") -> Outcome:
    """Return the outcome of a setting that was taken, and is another one afterwards."""
    if amps is None:
        return Outcome(status=OutcomeStatus.TIMED_OUT)
    detail = f"{mode} {amps:g} A".strip()
    return Outcome(status=OutcomeStatus.REJECTED, answer="another value", detail=detail)
