"""Set-up: what is asked of a station of OCPP 2.x and written to it after a boot."""

from collections.abc import Iterable, Mapping
import logging
from typing import Any, override

from ...station.outcome import Outcome, OutcomeStatus
from ..adapter import StationContext
from ..measurands import MAX_CHARACTERS, fitted, wanted
from ..setup import CommonSetup, SetupKeys
from ..stepwise import STEP_TIMEOUT, Finding, Step, still_there
from .described import described
from .device_model import Key, Variable, kept_variables
from .kept_model import MODEL, kept_of
from .link import V201Link
from .watching import Watching

REGISTER = "Energy.Active.Import.Register"

# What OCPP 1.6 knows and 2.x does not (MeasurandEnumType).
_NOT_IN_2 = frozenset({"RPM", "Temperature"})
# What others may have changed since: asked again at every boot.
_CHANGING = [
    Key.ALIGNED_DATA,
    Key.ALIGNED_INTERVAL,
    Key.LIST_ENABLED,
    Key.SAMPLED_DATA,
    Key.SAMPLED_ENDED,
    Key.SAMPLED_INTERVAL,
    Key.SAMPLED_STARTED,
    Key.SIGN_READINGS,
    Key.SMART_CHARGING_ENABLED,
]
_MAX_NAMED = 12
_MAX_DIFFERENT = 20
_MAX_SHOWN = 50

DIFFERENCE = "variables_changed"
"""The finding about the variables that the last other firmware brought."""

_LOGGER = logging.getLogger(__name__)


class Setup(CommonSetup):
    """Learn what a station can do, step by step, in the background.

    Its variables are kept in the journal with the firmware they were true for: only
    another firmware is asked for all of them again (B07.FR.14).
    """

    keys = SetupKeys(
        sampled=Key.SAMPLED_DATA,
        aligned=Key.ALIGNED_DATA,
        sampled_interval=Key.SAMPLED_INTERVAL,
        aligned_interval=Key.ALIGNED_INTERVAL,
        list_enabled=Key.LIST_ENABLED,
    )

    def __init__(self, context: StationContext, link: V201Link) -> None:
        """Use `link` for everything that is sent."""
        self._link = link
        self._device_model = link.device_model
        super().__init__(
            context,
            link,
            link.device_model,
            {
                Step.CONFIGURATION: self._read_variables,
                Step.CONNECTORS: self._create_evses,
                Step.FEATURES: self._read_controllers,
            },
            last={Step.MONITORS: Watching(link, link.monitoring).watch},
        )

    async def _read_variables(self) -> str:
        await self._recall()
        kept = await self._context.journal.load(self._station.identity, MODEL)
        kept = kept if isinstance(kept, dict) else {}
        if kept.get("whole") and kept.get("of") == kept_of(self._context):
            variables = kept.get("variables")
            self._device_model.restore(variables)
            # What cannot be read any more is asked for like what is not known.
            known = len(self._device_model)
            if isinstance(variables, list) and known >= len(variables) > 0:
                return await self._read_anew()
        return await self._read_all(kept.get("variables"))

    async def _read_anew(self) -> str:
        """Ask for what may have changed of variables that are known."""
        there = [key for key in _CHANGING if self._device_model.get(key) is not None]
        variables = self._station.variables
        shown = [
            one.address for one in variables if variables.channel(one.name).followed
        ]
        if asked := list(dict.fromkeys([*there, *shown[:_MAX_SHOWN]])):
            _, outcome = await self._ask(asked)
            if outcome.status is OutcomeStatus.TIMED_OUT:
                return Finding.UNANSWERED()
        return Finding.OK(f"{len(self._device_model)} variables")

    async def _read_all(self, before: object) -> str:
        """Ask for everything; where that cannot be had, for what we need."""
        self._device_model.forget()
        outcome, variables = await self._link.inventory(STEP_TIMEOUT)
        still_there(outcome)
        whole = bool(variables) and not outcome.detail
        missing = [key for key in Key if self._device_model.get(key) is None]
        if not whole and missing:
            _, named = await self._ask([*missing])
            outcome = outcome if variables else named
        await self._store(whole=whole)
        if not len(self._device_model):
            return _nothing(outcome)
        counted = f"{len(self._device_model)} variables"
        if whole:
            # What is gone makes room for what is new.
            self._station.variables.only(str(one.name) for one in self._device_model)
            self._station.variables.put(map(described, self._device_model))
        if old := kept_variables(before):
            counted += self._compare(old)
        return Finding.OK(counted) if whole else Finding.PARTIAL(counted)

    def _compare(self, before: list[Variable]) -> str:
        """Return how many variables another firmware brought, and log which."""
        if not (change := self._device_model.compared(before)):
            return ""
        _LOGGER.info(
            "%s: other variables than before: new %s; gone %s; changed %s",
            self._name,
            *map(_some, (change.added, change.removed, change.changed)),
        )
        self._station.findings[DIFFERENCE] = (
            f"new: {_some(change.added)}; gone: {_some(change.removed)}; "
            f"changed: {_some(change.changed)}"
        )
        return f", {len(change.added)} new, {len(change.removed)} gone"

    async def _create_evses(self) -> str:
        if not (places := self._device_model.places):
            return Finding.UNKNOWN()
        for evse_id, connectors in places.items():
            evse = self._station.evse(evse_id)
            for connector_id in connectors:
                if connector_id in evse.connectors or self._station.roomy:
                    evse.connector(connector_id)
            alone = self._device_model.get(f"EVSE#{evse_id}.AllowReset")
            says = alone.actual.value if alone is not None else None
            evse.resets.set((says or "").strip().lower() == "true")
        return Finding.OK(len(places))

    async def _read_controllers(self) -> str:
        # What it can do is known now, which may be something new.
        self._station.grow()
        if not (controllers := self._device_model.controllers):
            return Finding.UNKNOWN()
        return Finding.OK(", ".join(sorted(set(controllers))[:_MAX_NAMED]))

    @override
    async def _choose_measurands(self) -> str:
        finding = await super()._choose_measurands()
        for key in (Key.SAMPLED_STARTED, Key.SAMPLED_ENDED):
            await self._count_in(key)
        unlisted = self._unlisted
        if unlisted and finding.startswith(Finding.OK):
            return Finding.PARTIAL(", ".join(unlisted))
        return finding

    @property
    def _unlisted(self) -> list[str]:
        """Return what the user wants to measure and the station does not list."""
        options = self._device_model.options(self.keys.sampled)
        listed = {one.lower() for one in options}
        names = wanted(self._station.settings.measurands or (), ())
        return [one for one in names if one.lower() not in listed] if listed else []

    async def _count_in(self, key: Key) -> None:
        """Have the counter among what a session begins and ends with."""
        names = self._device_model.items(key)
        if names is None or self._device_model.readonly(key):
            return
        if REGISTER.lower() not in {name.lower() for name in names}:
            await self._write(key, ",".join([REGISTER, *names]))

    @override
    def _allowed(self, key: str, names: list[str]) -> list[str]:
        """Return the measurands that the station lists, as it spells them."""
        listed = {one.lower(): one for one in self._device_model.options(key)}
        chosen = self._station.settings.measurands is not None
        if listed:
            names = [listed[one.lower()] for one in names if one.lower() in listed]
        elif not chosen:
            names = [one for one in names if one not in _NOT_IN_2]
        room = self._device_model.most(key) or MAX_CHARACTERS
        while names and len(",".join(names)) > room:
            names = names[:-1]
        return fitted(names, self._quirks.max_measurands)

    @override
    def _messages(self) -> Mapping[str, Iterable[dict[str, Any]]] | None:
        return {
            message: [
                place
                for evse_id in self._station.evses or (None,)
                for place in self._link.places(message, evse_id)
            ]
            for message in ("StatusNotification", "MeterValues")
        }

    @override
    async def _remember(self) -> None:
        kept = await self._context.journal.load(self._station.identity, MODEL)
        await self._store(whole=bool(isinstance(kept, dict) and kept.get("whole")))

    async def _store(self, *, whole: bool) -> None:
        fact = {
            "of": kept_of(self._context),
            "whole": whole,
            "variables": self._device_model.dump(),
        }
        await self._context.journal.store(self._station.identity, MODEL, fact)


def _some(names: list[str]) -> str:
    """Return names for a log, no more than anybody reads."""
    more = len(names) - _MAX_DIFFERENT
    shown = ", ".join(names[:_MAX_DIFFERENT]) or "none"
    return f"{shown} and {more} more" if more > 0 else shown


def _nothing(outcome: Outcome) -> str:
    if outcome.status is OutcomeStatus.NOT_SUPPORTED:
        return Finding.NOT_SUPPORTED()
    return Finding.UNANSWERED()
