"""Stepwise: set-up of a station of any OCPP version, one step after the other."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from enum import StrEnum
import logging
from typing import Any

from ..station.errors import NotConnected
from ..station.outcome import Outcome, OutcomeStatus
from ..station.secrets import shortened
from .adapter import StationContext
from .quirks import Quirks, quirks_of

_LOGGER = logging.getLogger(__name__)

FACT = "capabilities"
STEP_TIMEOUT = 10.0
MAX_DROPS = 3
"""A step is left out once the station hung up on it so often without a success."""

_FIRST_VERSION = "1.6"


class Step(StrEnum):
    """The steps of set-up, in their order; the keys of our findings."""

    CONFIGURATION = "configuration"
    CONNECTORS = "connectors"
    FEATURES = "features"
    MEASURANDS = "measurands"
    ALIGNED_DATA = "aligned_data"
    INTERVALS = "intervals"
    TRIGGERS = "triggers"
    LIMITS = "limits"
    LOCAL_LIST = "local_list"
    MONITORS = "monitors"


class Finding(StrEnum):
    """The first word of a finding; more may follow after a colon.

    A user can act on these: "measurands" PARTIAL or REFUSED (choose others),
    "intervals" REFUSED (choose other intervals), "configuration" UNANSWERED (update
    the firmware), "limits" REFUSED (another way to limit), "local_list" PARTIAL or
    REFUSED (fewer tokens), any SKIPPED (the station hangs up on the step: update the
    firmware, or quiet mode).
    """

    OK = "ok"
    CHANGED = "changed"
    DISCONNECTED = "disconnected"
    FAILED = "failed"
    NOT_SUPPORTED = "not_supported"
    PARTIAL = "partial"
    READ_ONLY = "read_only"
    REFUSED = "refused"
    SKIPPED = "skipped"
    UNANSWERED = "unanswered"
    UNKNOWN = "unknown"

    def __call__(self, detail: object = "") -> str:
        """Return the finding with a detail."""
        return f"{self.value}: {detail}" if detail else self.value


class Dropped(NotConnected):
    """The station hung up instead of answering."""


class Stepwise:
    """Learn what a station can do, step by step, in the background.

    A step that fails, is refused or gets no answer does not stop the next. What was
    learnt is kept in the journal's fact "capabilities" with the OCPP version and the
    firmware it was true for.
    """

    def __init__(
        self,
        context: StationContext,
        steps: Mapping[Step, Callable[[], Awaitable[str]]],
    ) -> None:
        """Run `steps` in their order."""
        self._context = context
        self._station = context.station
        self._name = shortened(context.station.identity)
        self.interrupted = False
        """The station went away before the last step."""
        self._task: asyncio.Task[None] | None = None
        self._drops: Counter[Step] = Counter()
        self._kept: dict[str, Any] = {}
        self._steps = steps

    def start(self) -> None:
        """Run, or run again after a reboot; nothing in quiet mode."""
        self.stop()
        self.interrupted = False
        if not self._station.settings.quiet:
            name = f"set-up of {self._name}"
            self._task = self._context.spawn(self._run_in_turn(), name)

    def hold(self) -> None:
        """Set the limits again that a restart may have undone, and nothing else.

        A set-up that is still running does that in its turn.
        """
        running = self._task is not None and not self._task.done()
        if running or self._station.settings.quiet:
            return
        name = f"limits of {self._name}"
        self._task = self._context.spawn(self._run((Step.LIMITS,)), name)

    def stop(self) -> None:
        """Send nothing more, until it is started again."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _run_in_turn(self) -> None:
        async with self._context.setups.place():
            await self._run()

    async def _run(self, only: Collection[Step] | None = None) -> None:
        for name, step in self._steps.items():
            if only is not None and name not in only:
                continue
            if self._drops[name] >= MAX_DROPS:
                finding = Finding.SKIPPED("the charger disconnects")
            else:
                finding = await self._try(name, step)
            self._station.findings[name.value] = finding
            _LOGGER.debug("%s: set-up: %s %s", self._name, name, finding)
            if finding == Finding.DISCONNECTED:
                self.interrupted = True
                return

    async def _try(self, name: Step, step: Callable[[], Awaitable[str]]) -> str:
        try:
            finding = await step()
        except Dropped:
            self._drops[name] += 1
            return Finding.DISCONNECTED()
        except NotConnected:
            return Finding.DISCONNECTED()
        except Exception:
            # The top of what is a task of its own but for the order.
            _LOGGER.exception("%s: set-up: %s failed", self._name, name)
            return Finding.FAILED()
        del self._drops[name]
        return finding

    # Steps that are the same in every version

    async def _hold_limits(self) -> str:
        limiter = self._station.limiter
        outcomes = {} if limiter is None else await limiter.reassert()
        refusals = [
            f"EVSE {evse_id} {still_there(outcome).status} {outcome.detail}"
            for evse_id, outcome in outcomes.items()
            if not outcome.ok
        ]
        return Finding.REFUSED("; ".join(refusals)) if refusals else Finding.OK()

    async def _fill_list(self, *, switched_on: bool) -> str:
        local_list = self._station.local_list
        if local_list is None or not local_list.needed:
            return Finding.OK("left alone")
        if switched_on:
            # Where that takes a reboot, the last answer was that of a list that was off.
            local_list.ask_anew()
        done = await local_list.sync()
        if done.outcome is not None:
            still_there(done.outcome)
        return done.finding

    # What is known, and kept

    @property
    def _quirks(self) -> Quirks:
        return quirks_of(self._station.info.value)

    def _accepted_before(self, names: list[str]) -> list[str] | None:
        """Return which of the same measurands the station took once."""
        match self._kept.get("measurands"):
            case {"wanted": list(asked), "accepted": list(accepted)} if _lower(
                asked
            ) == _lower(names):
                return [name for name in accepted if isinstance(name, str)]
        return None

    def _judge_measurands(self, names: list[str], there: list[str]) -> str:
        have = _lower(there)
        missing = [name for name in names if name.lower() not in have]
        if missing == names:
            return Finding.REFUSED()
        if missing and self._station.settings.measurands is not None:
            return Finding.PARTIAL(", ".join(missing))
        return Finding.OK(f"{len(there)} of {len(names)}")

    async def _recall(self) -> bool:
        """Bring back what is kept of this firmware and version; return if there is any."""
        of = {
            "firmware": self._station.info.value.firmware,
            "version": self._station.version.value or _FIRST_VERSION,
        }
        journal, identity = self._context.journal, self._station.identity
        kept = await journal.load(identity, FACT)
        # What was kept before there were others is of the first version.
        known = {"version": _FIRST_VERSION, **kept} if isinstance(kept, dict) else {}
        if known and of.items() <= known.items():
            self._kept = known
            return True
        self._kept = of
        return False

    async def _keep(self, name: str, value: Any) -> None:
        if self._kept.get(name) != value:
            self._kept = {**self._kept, name: value}
            await self._context.journal.store(self._station.identity, FACT, self._kept)


def still_there(outcome: Outcome) -> Outcome:
    """Return an outcome; raise Dropped if the station hung up instead of answering."""
    if outcome.status is OutcomeStatus.NO_ANSWER:
        raise Dropped
    return outcome


def refused(outcome: Outcome) -> str:
    """Return the finding of a write that was not taken."""
    if outcome.status is OutcomeStatus.TIMED_OUT:
        return Finding.UNANSWERED()
    if outcome.status is OutcomeStatus.NOT_SUPPORTED:
        return Finding.NOT_SUPPORTED()
    return Finding.REFUSED(outcome.answer or outcome.detail)


def _lower(names: list[Any]) -> set[str]:
    return {str(name).lower() for name in names}
