"""Set-up: what is asked of an OCPP 1.6 station and written to it after a boot."""

from collections.abc import Iterable, Mapping
from typing import Any, override

from ...station.link import ConfigurationKey
from ...station.outcome import Outcome, OutcomeStatus
from ..adapter import StationContext
from ..measurands import fitted
from ..setup import CommonSetup, SetupKeys
from ..stepwise import Finding, Step
from .configuration import Feature, Key, select
from .link import V16Link

NEEDED = [key.value for key in Key]
ESSENTIAL = [Key.CONNECTORS, Key.FEATURES, Key.SAMPLED_DATA, Key.SAMPLED_INTERVAL]
_MAXIMUMS: dict[str, Key] = {
    Key.SAMPLED_DATA: Key.SAMPLED_DATA_MAX_LENGTH,
    Key.ALIGNED_DATA: Key.ALIGNED_DATA_MAX_LENGTH,
}


class Setup(CommonSetup):
    """Learn what a station can do, step by step, in the background.

    What was learnt is kept in the journal's fact "capabilities" with the firmware it
    was true for, so that a boot costs few messages and repeats no negotiation.
    """

    keys = SetupKeys(
        sampled=Key.SAMPLED_DATA,
        aligned=Key.ALIGNED_DATA,
        sampled_interval=Key.SAMPLED_INTERVAL,
        aligned_interval=Key.ALIGNED_INTERVAL,
        list_enabled=Key.LIST_ENABLED,
    )

    def __init__(self, context: StationContext, link: V16Link) -> None:
        """Use `link` for everything that is sent."""
        self._configuration = link.configuration
        super().__init__(
            context,
            link,
            link.configuration,
            {
                Step.CONFIGURATION: self._read_configuration,
                Step.CONNECTORS: self._create_evses,
                Step.FEATURES: self._read_features,
            },
        )

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
        await self._remember()
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

    @override
    def _unreadable(self, key: str) -> bool:
        return key in self._quirks.unreadable_keys

    @override
    def _allowed(self, key: str, names: list[str]) -> list[str]:
        told = self._configuration.number(_MAXIMUMS[key])
        limits = [told if told and told > 0 else None, self._quirks.max_measurands]
        maximum = min((limit for limit in limits if limit is not None), default=None)
        return fitted(names, maximum)

    @override
    def _messages(self) -> Mapping[str, Iterable[dict[str, Any]]] | None:
        if self._configuration.supports(Feature.REMOTE_TRIGGER) is False:
            return None
        places = [{"connectorId": evse_id} for evse_id in self._station.evses]
        return dict.fromkeys(("StatusNotification", "MeterValues"), places or [{}])
