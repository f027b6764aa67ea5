"""Set-up: what is asked of a station and written to it after a boot."""

from typing import Any

from ...station.link import ConfigurationKey
from ...station.outcome import Outcome, OutcomeStatus
from ...station.settings import LocalListMode
from ..adapter import StationContext
from ..measurands import Ending, Negotiated, fitted, negotiate, same, wanted
from ..stepwise import STEP_TIMEOUT, Finding, Step, Stepwise, refused, still_there
from .configuration import Feature, Key, select
from .link import V16Link

NEEDED = [key.value for key in Key]
ESSENTIAL = [Key.CONNECTORS, Key.FEATURES, Key.SAMPLED_DATA, Key.SAMPLED_INTERVAL]


class Setup(Stepwise):
    """Learn what a station can do, step by step, in the background.

    What was learnt is kept in the journal's fact "capabilities" with the firmware it
    was true for, so that a boot costs few messages and repeats no negotiation.
    """

    def __init__(self, context: StationContext, link: V16Link) -> None:
        """Use `link` for everything that is sent."""
        super().__init__(
            context,
            {
                Step.CONFIGURATION: self._read_configuration,
                Step.CONNECTORS: self._create_evses,
                Step.FEATURES: self._read_features,
                Step.MEASURANDS: self._choose_measurands,
                Step.ALIGNED_DATA: self._choose_aligned_data,
                Step.INTERVALS: self._write_intervals,
                Step.TRIGGERS: self._trigger,
                Step.LIMITS: self._hold_limits,
                Step.LOCAL_LIST: self._sync_list,
            },
        )
        self._link = link
        self._configuration = link.configuration

    async def _read_configuration(self) -> str:
        # What was learnt of another firmware may be wrong now.
        if await self._recall():
            self._configuration.restore(self._kept.get("keys"))
        else:
            self._configuration.forget()
        unreadable = self._quirks.unreadable_keys
        found: list[ConfigurationKey] = []
        if not unreadable:
            found, outcome = await self._ask([])
        if select(ESSENTIAL, found)[1]:
            readable = [key for key in NEEDED if key not in unreadable]
            missing = select(readable, found)[1]
            if found or unreadable:
                # Not all keys fit into one answer (GetConfigurationMaxKeys).
                more, outcome = await self._ask(missing)
                found += more
            else:
                found, outcome = await self._ask_singly(missing)
        await self._keep("keys", self._configuration.dump())
        if found:
            return Finding.OK(f"{len(found)} keys")
        if outcome.status is OutcomeStatus.NOT_SUPPORTED:
            return Finding.NOT_SUPPORTED()
        return Finding.UNANSWERED()

    async def _ask_singly(
        self, keys: list[str]
    ) -> tuple[list[ConfigurationKey], Outcome]:
        found: list[ConfigurationKey] = []
        outcome = Outcome(status=OutcomeStatus.TIMED_OUT)
        for key in keys:
            more, outcome = await self._ask([key])
            found += more
            if outcome.status is OutcomeStatus.TIMED_OUT and not found:
                # It answered neither this nor the question before: it never does.
                break
        return found, outcome

    async def _ask(self, keys: list[str]) -> tuple[list[ConfigurationKey], Outcome]:
        outcome, found, _ = await self._link.get_configuration(keys, STEP_TIMEOUT)
        still_there(outcome)
        return found, outcome

    async def _create_evses(self) -> str:
        if (connectors := self._configuration.connectors) is None:
            return Finding.UNKNOWN()
        for evse_id in range(1, connectors + 1):
            self._station.evse(evse_id)
        return Finding.OK(connectors)

    async def _read_features(self) -> str:
        # What it can do is known now, which may be something new.
        self._station.grow()
        if not (features := self._configuration.items(Key.FEATURES)):
            return Finding.UNKNOWN()
        return Finding.OK(", ".join(features))

    async def _choose_measurands(self) -> str:
        key = Key.SAMPLED_DATA
        unreadable = key in self._quirks.unreadable_keys
        if self._configuration.readonly(key):
            return Finding.READ_ONLY(self._configuration.text(key))
        current = None if unreadable else self._configuration.items(key)
        names = wanted(self._station.settings.measurands, current or ())
        names = fitted(names, self._maximum(Key.SAMPLED_DATA_MAX_LENGTH))
        if not names:
            return Finding.OK("left alone")
        accepted = self._accepted_before(names)
        target = accepted or names
        if same(current, target) if current is not None else accepted is not None:
            return self._judge_measurands(names, accepted or current or [])
        done = await negotiate(target, current or (), self._write_sampled)
        if done.ending is Ending.UNANSWERED:
            return Finding.UNANSWERED()
        there = done.accepted
        if not there:
            # It keeps its own list: not to be tried again at every boot.
            there = current or []
        elif not unreadable:
            there = await self._read_back(done)
        await self._keep("measurands", {"wanted": names, "accepted": there})
        return self._judge_measurands(names, there)

    async def _write_sampled(self, names: list[str]) -> Outcome:
        return await self._write(Key.SAMPLED_DATA, ",".join(names))

    async def _read_back(self, done: Negotiated) -> list[str]:
        # Some accept a list and keep a part of it: asked again at every boot otherwise.
        if done.ending is Ending.REBOOT_REQUIRED:
            return done.accepted
        await self._ask([Key.SAMPLED_DATA])
        return self._configuration.items(Key.SAMPLED_DATA) or done.accepted

    async def _choose_aligned_data(self) -> str:
        key = Key.ALIGNED_DATA
        sampled = self._configuration.items(Key.SAMPLED_DATA)
        if self._station.settings.clock_interval is None or not sampled:
            return Finding.OK("left alone")
        if self._configuration.text(key) or self._configuration.get(key) is None:
            return Finding.OK("left alone")
        if self._configuration.readonly(key):
            return Finding.READ_ONLY()
        names = fitted(sampled, self._maximum(Key.ALIGNED_DATA_MAX_LENGTH))
        outcome = await self._write(key, ",".join(names))
        return Finding.CHANGED() if outcome.ok else refused(outcome)

    async def _write_intervals(self) -> str:
        settings = self._station.settings
        refused: list[str] = []
        for key, seconds in (
            (Key.SAMPLED_INTERVAL, settings.meter_interval),
            (Key.ALIGNED_INTERVAL, settings.clock_interval),
        ):
            if seconds is None or not self._configuration.differs(key, str(seconds)):
                continue
            if self._configuration.readonly(key):
                refused.append(f"{key} {Finding.READ_ONLY}")
                continue
            outcome = await self._write(key, str(seconds))
            if outcome.status is OutcomeStatus.TIMED_OUT:
                return Finding.UNANSWERED(key)
            if not outcome.ok:
                refused.append(f"{key} {outcome.answer or outcome.status}")
        return Finding.REFUSED(", ".join(refused)) if refused else Finding.OK()

    async def _trigger(self) -> str:
        if self._configuration.supports(Feature.REMOTE_TRIGGER) is False:
            return Finding.NOT_SUPPORTED()
        refused = [name for name in self._kept.get("refused", ()) if name]
        answers: set[str] = set()
        for message in ("StatusNotification", "MeterValues"):
            if message in refused:
                answers.add(f"{message} {Finding.NOT_SUPPORTED}")
                continue
            evse_ids: list[int | None] = [*self._station.evses]
            for evse_id in evse_ids or [None]:
                outcome = await self._trigger_one(message, evse_id)
                if outcome.status is OutcomeStatus.TIMED_OUT:
                    return Finding.UNANSWERED(message)
                if outcome.status is OutcomeStatus.NOT_SUPPORTED:
                    refused.append(message)
                if not outcome.ok:
                    answers.add(f"{message} {outcome.answer or outcome.status}")
                    break
        await self._keep("refused", refused)
        return Finding.PARTIAL(", ".join(sorted(answers))) if answers else Finding.OK()

    async def _trigger_one(self, message: str, evse_id: int | None) -> Outcome:
        payload: dict[str, Any] = {"requestedMessage": message}
        if evse_id is not None:
            payload["connectorId"] = evse_id
        outcome = await self._link.send("TriggerMessage", payload, STEP_TIMEOUT)
        return still_there(outcome)

    async def _sync_list(self) -> str:
        wants_it_on = self._station.settings.local_list is LocalListMode.ENABLE
        known = self._configuration.get(Key.LIST_ENABLED) is not None
        if wants_it_on and known and not self._configuration.flag(Key.LIST_ENABLED):
            await self._write(Key.LIST_ENABLED, "true")
        return await self._fill_list(switched_on=wants_it_on)

    async def _write(self, key: str, value: str) -> Outcome:
        outcome = await self._link.set_configuration(key, value, STEP_TIMEOUT)
        if outcome.ok:
            await self._keep("keys", self._configuration.dump())
        return still_there(outcome)

    def _maximum(self, key: Key) -> int | None:
        told = self._configuration.number(key)
        limits = [told if told and told > 0 else None, self._quirks.max_measurands]
        return min((limit for limit in limits if limit is not None), default=None)
