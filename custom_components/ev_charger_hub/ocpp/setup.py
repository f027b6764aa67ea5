"""Set-up: the steps that a station of every OCPP version goes through after a boot."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..station.link import ConfigurationKey
from ..station.outcome import Outcome, OutcomeStatus
from ..station.settings import LocalListMode
from .adapter import StationContext
from .known import Known
from .measurands import Ending, Negotiated, fitted, negotiate, same, wanted
from .sender import TIMEOUT
from .stepwise import STEP_TIMEOUT, Finding, Step, Stepwise, refused, still_there

LEFT_ALONE = "left alone"


@dataclass(kw_only=True, slots=True, frozen=True)
class SetupKeys:
    """What a version of OCPP calls the settings that set-up looks after."""

    sampled: str
    aligned: str
    sampled_interval: str
    aligned_interval: str
    list_enabled: str


class SetupLink(Protocol):
    """What set-up sends by."""

    async def get_configuration(
        self, keys: list[str], timeout: float = TIMEOUT
    ) -> tuple[Outcome, list[ConfigurationKey], list[str]]:
        """Return the named keys and the unknown ones."""

    async def set_configuration(
        self, key: str, value: str, timeout: float = TIMEOUT
    ) -> Outcome:
        """Write one key."""

    async def send(
        self, action: str, payload: dict[str, Any], timeout: float = TIMEOUT
    ) -> Outcome:
        """Send any call."""


class CommonSetup(Stepwise):
    """Bring the settings of a station in line with ours."""

    keys: SetupKeys

    def __init__(
        self,
        context: StationContext,
        link: SetupLink,
        known: Known,
        steps: Mapping[Step, Callable[[], Awaitable[str]]],
        last: Mapping[Step, Callable[[], Awaitable[str]]] | None = None,
    ) -> None:
        """Send by `link`, which adds what it hears to `known`.

        `steps` come before those that all versions share, `last` after them.
        """
        common = {
            Step.MEASURANDS: self._choose_measurands,
            Step.ALIGNED_DATA: self._choose_aligned_data,
            Step.INTERVALS: self._write_intervals,
            Step.TRIGGERS: self._trigger,
            Step.LIMITS: self._hold_limits,
            Step.LOCAL_LIST: self._sync_list,
        }
        super().__init__(context, {**steps, **common, **(last or {})})
        self._sender = link
        self._known = known

    # What differs

    def _unreadable(self, key: str) -> bool:
        """Return whether a station must not be asked for a key."""
        return False

    def _allowed(self, key: str, names: list[str]) -> list[str]:
        """Return as many measurands as there may be in a list."""
        return fitted(names, self._quirks.max_measurands)

    def _messages(self) -> Mapping[str, Iterable[dict[str, Any]]] | None:
        """Return what a station is asked to send and where; None if it never does."""
        raise NotImplementedError

    # Steps

    async def _choose_measurands(self) -> str:
        key = self.keys.sampled
        unreadable = self._unreadable(key)
        if self._known.readonly(key):
            return Finding.READ_ONLY(self._known.text(key))
        current = None if unreadable else self._known.items(key)
        names = wanted(self._station.settings.measurands, current or ())
        allowed = self._allowed(key, names)
        if not allowed:
            return Finding.OK(LEFT_ALONE)
        accepted = self._accepted_before(allowed)
        target = accepted or allowed
        if same(current, target) if current is not None else accepted is not None:
            return self._judge_measurands(allowed, accepted or current or [])
        done = await negotiate(target, current or (), self._write_sampled)
        if done.ending is Ending.UNANSWERED:
            return Finding.UNANSWERED()
        there = done.accepted
        if not there:
            # It keeps its own list: not to be tried again at every boot.
            there = current or []
        elif not unreadable:
            there = await self._read_back(done)
        await self._keep("measurands", {"wanted": allowed, "accepted": there})
        return self._judge_measurands(allowed, there)

    async def _write_sampled(self, names: list[str]) -> Outcome:
        return await self._write(self.keys.sampled, ",".join(names))

    async def _read_back(self, done: Negotiated) -> list[str]:
        # Some accept a list and keep a part of it: asked again at every boot otherwise.
        if done.ending is Ending.REBOOT_REQUIRED:
            return done.accepted
        await self._ask([self.keys.sampled])
        return self._known.items(self.keys.sampled) or done.accepted

    async def _choose_aligned_data(self) -> str:
        key = self.keys.aligned
        sampled = self._known.items(self.keys.sampled)
        if self._station.settings.clock_interval is None or not sampled:
            return Finding.OK(LEFT_ALONE)
        if self._known.text(key) or self._known.get(key) is None:
            return Finding.OK(LEFT_ALONE)
        if self._known.readonly(key):
            return Finding.READ_ONLY()
        outcome = await self._write(key, ",".join(self._allowed(key, sampled)))
        return Finding.CHANGED() if outcome.ok else refused(outcome)

    async def _write_intervals(self) -> str:
        settings = self._station.settings
        refusals: list[str] = []
        for key, seconds in (
            (self.keys.sampled_interval, settings.meter_interval),
            (self.keys.aligned_interval, settings.clock_interval),
        ):
            if seconds is None or not self._known.differs(key, str(seconds)):
                continue
            if self._known.readonly(key):
                refusals.append(f"{key} {Finding.READ_ONLY}")
                continue
            outcome = await self._write(key, str(seconds))
            if outcome.status is OutcomeStatus.TIMED_OUT:
                return Finding.UNANSWERED(key)
            if not outcome.ok:
                refusals.append(f"{key} {outcome.answer or outcome.status}")
        await self._raise_least()
        return Finding.REFUSED(", ".join(refusals)) if refusals else Finding.OK()

    async def _raise_least(self) -> None:
        """Raise what is lower than is good for this kind of station."""
        for key, least in self._quirks.least.items():
            number = self._known.number(key)
            if number is not None and number < least and not self._known.readonly(key):
                await self._write(key, str(least))

    async def _trigger(self) -> str:
        if (messages := self._messages()) is None:
            return Finding.NOT_SUPPORTED()
        unsupported = [name for name in self._kept.get("refused", ()) if name]
        answers: set[str] = set()
        for message, places in messages.items():
            if message in unsupported:
                answers.add(f"{message} {Finding.NOT_SUPPORTED}")
                continue
            for place in places:
                outcome = await self._trigger_one(message, place)
                if outcome.status is OutcomeStatus.TIMED_OUT:
                    return Finding.UNANSWERED(message)
                if outcome.status is OutcomeStatus.NOT_SUPPORTED:
                    unsupported.append(message)
                if not outcome.ok:
                    answers.add(f"{message} {outcome.answer or outcome.status}")
                    break
        await self._keep("refused", unsupported)
        return Finding.PARTIAL(", ".join(sorted(answers))) if answers else Finding.OK()

    async def _trigger_one(self, message: str, place: dict[str, Any]) -> Outcome:
        payload = {"requestedMessage": message, **place}
        return still_there(
            await self._sender.send("TriggerMessage", payload, STEP_TIMEOUT)
        )

    async def _sync_list(self) -> str:
        wants_it_on = self._station.settings.local_list is LocalListMode.ENABLE
        key = self.keys.list_enabled
        known = self._known.get(key) is not None
        if wants_it_on and known and not self._known.flag(key):
            await self._write(key, "true")
        return await self._fill_list(switched_on=wants_it_on)

    # What they are made of

    async def _ask(self, keys: list[str]) -> tuple[list[ConfigurationKey], Outcome]:
        outcome, found, _ = await self._sender.get_configuration(keys, STEP_TIMEOUT)
        still_there(outcome)
        return found, outcome

    async def _write(self, key: str, value: str) -> Outcome:
        outcome = await self._sender.set_configuration(key, value, STEP_TIMEOUT)
        if outcome.ok:
            await self._remember()
        return still_there(outcome)

    async def _remember(self) -> None:
        """Keep what is known of the station's settings."""
        await self._keep("keys", self._known.dump())
