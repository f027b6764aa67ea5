"""The device model: what a station says of itself, variable by variable (2.0.1 B07)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
import math
from typing import Any, override

from ...station.link import ConfigurationKey
from ...station.secrets import names_secret
from ..known import Known
from ..words import MAX_EVSES
from .names import ACTUAL, ATTRIBUTES, VariableName, kept_name, parse_name, read_name

MAX_VARIABLES = 5000
"""No home station has more; what comes above that is not kept."""

MAX_CHARACTERS = 1_000_000
"""So much text is kept of all of them: ten times what a large inventory says."""

_MAX_VALUE = 2500
_MAX_LIST = 5000


class Key(StrEnum):
    """The variables that we use (OCPP 2.0.1 part 2, 3)."""

    ALIGNED_DATA = "AlignedDataCtrlr.Measurands"
    ALIGNED_INTERVAL = "AlignedDataCtrlr.Interval"
    COST_AVAILABLE = "TariffCostCtrlr.Available[Cost]"
    COST_ENABLED = "TariffCostCtrlr.Enabled[Cost]"
    CURRENCY = "TariffCostCtrlr.Currency"
    DISPLAY_AVAILABLE = "DisplayMessageCtrlr.Available"
    DISPLAY_FORMATS = "DisplayMessageCtrlr.SupportedFormats"
    DISPLAY_LANGUAGE = "DisplayMessageCtrlr.Language"
    DISPLAY_MESSAGES = "DisplayMessageCtrlr.DisplayMessages"
    DISPLAY_PRIORITIES = "DisplayMessageCtrlr.SupportedPriorities"
    DISPLAY_STATES = "DisplayMessageCtrlr.SupportedStates"
    DYNAMIC_PROFILES = "SmartChargingCtrlr.SupportsDynamicProfiles"
    DYNAMIC_PROFILES_OF_LIBOCPP = "SmartChargingCtrlr.SupportsFeature[DynamicProfiles]"
    FILE_TRANSFERS = "OCPPCommCtrlr.FileTransferProtocols"
    GET_BYTES = "DeviceDataCtrlr.BytesPerMessage[GetVariables]"
    GET_ITEMS = "DeviceDataCtrlr.ItemsPerMessage[GetVariables]"
    LIST_AVAILABLE = "LocalAuthListCtrlr.Available"
    LIST_BYTES = "LocalAuthListCtrlr.BytesPerMessage"
    LIST_ENABLED = "LocalAuthListCtrlr.Enabled"
    LIST_ENTRIES = "LocalAuthListCtrlr.Entries"
    LIST_ITEMS = "LocalAuthListCtrlr.ItemsPerMessage"
    MAX_EXTERNAL_ID = "SmartChargingCtrlr.MaxExternalConstraintsId"
    MAX_OFFLINE = "SmartChargingCtrlr.SupportsMaxOfflineDuration"
    MAX_PERIODS = "SmartChargingCtrlr.PeriodsPerSchedule"
    MAX_PROFILES = "SmartChargingCtrlr.Entries[ChargingProfiles]"
    MAX_STACK_LEVEL = "SmartChargingCtrlr.ProfileStackLevel"
    PHASE_SWITCHING = "SmartChargingCtrlr.ACPhaseSwitchingSupported"
    RATE_UNITS = "SmartChargingCtrlr.RateUnit"
    REPORT_BYTES = "DeviceDataCtrlr.BytesPerMessage[GetReport]"
    REPORT_ITEMS = "DeviceDataCtrlr.ItemsPerMessage[GetReport]"
    RESERVATION_AVAILABLE = "ReservationCtrlr.Available"
    SAMPLED_DATA = "SampledDataCtrlr.TxUpdatedMeasurands"
    SAMPLED_ENDED = "SampledDataCtrlr.TxEndedMeasurands"
    SAMPLED_INTERVAL = "SampledDataCtrlr.TxUpdatedInterval"
    SAMPLED_STARTED = "SampledDataCtrlr.TxStartedMeasurands"
    SET_BYTES = "DeviceDataCtrlr.BytesPerMessage[SetVariables]"
    SET_ITEMS = "DeviceDataCtrlr.ItemsPerMessage[SetVariables]"
    SESSION_LIMITS = "TxCtrlr.SupportedLimits"
    SIGN_READINGS = "SampledDataCtrlr.SignReadings"
    SMART_CHARGING_AVAILABLE = "SmartChargingCtrlr.Available"
    SMART_CHARGING_ENABLED = "SmartChargingCtrlr.Enabled"
    TARIFF_AVAILABLE = "TariffCostCtrlr.Available[Tariff]"
    TARIFF_ENABLED = "TariffCostCtrlr.Enabled[Tariff]"


@dataclass(kw_only=True, slots=True, frozen=True)
class Attribute:
    """One attribute of a variable; `value` None is not known, or write-only."""

    value: str | None = None
    mutability: str | None = None

    @property
    def readonly(self) -> bool:
        """Return whether the station says that it cannot be written."""
        return (self.mutability or "").lower() == "readonly"


@dataclass(kw_only=True, slots=True, frozen=True)
class Variable:
    """A variable: its attributes, and what values it may take (2.0.1 2.52)."""

    name: VariableName
    attributes: dict[str, Attribute] = field(default_factory=dict)
    data_type: str | None = None
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()
    monitored: bool | None = None
    """Whether it can be monitored."""

    @property
    def actual(self) -> Attribute:
        """Return what the variable is now."""
        return self.attributes.get(ACTUAL) or Attribute()

    @property
    def size(self) -> int:
        """Return how many characters it takes to keep it, roughly."""
        values = (one.value or "" for one in self.attributes.values())
        return len(self.name.key) + sum(map(len, values)) + sum(map(len, self.values))

    @property
    def bounds(self) -> tuple[object, ...]:
        """Return what it may be, which another firmware may see otherwise."""
        may = (self.data_type, self.unit, self.minimum, self.maximum, self.values)
        return *may, self.actual.readonly

    @property
    def configuration(self) -> Iterator[ConfigurationKey]:
        """Yield the attributes of the variable as the keys that users know."""
        for kind, attribute in self.attributes.items():
            yield ConfigurationKey(
                key=str(replace(self.name, attribute=kind)),
                value=attribute.value,
                readonly=attribute.readonly,
            )


@dataclass(kw_only=True, slots=True, frozen=True)
class Difference:
    """The variables that another firmware has, had, or takes other values for."""

    added: list[str]
    removed: list[str]
    changed: list[str]

    def __bool__(self) -> bool:
        """Return whether there is any difference."""
        return bool(self.added or self.removed or self.changed)


class DeviceModel(Known):
    """What is known of the variables of a station."""

    def __init__(self, tell: Callable[[list[Variable]], None] = lambda _: None) -> None:
        """Know nothing yet; `tell` hears of what becomes known."""
        self._variables: dict[str, Variable] = {}
        self._size = 0
        self._tell = tell

    def __len__(self) -> int:
        """Return how many variables are known."""
        return len(self._variables)

    def __iter__(self) -> Iterator[Variable]:
        """Yield the known variables, in the order in which they were told."""
        return iter(tuple(self._variables.values()))

    # What is learnt

    def report(self, entries: object) -> list[Variable]:
        """Take over a part of a report (NotifyReport) and return what it told.

        What there is no room for is not told.
        """
        found = [
            variable
            for entry in (entries if isinstance(entries, list) else ())
            if isinstance(entry, dict) and (variable := _read(entry)) is not None
        ]
        return self._keep(found)

    def told(self, name: VariableName, value: str | None) -> None:
        """Take over the value of an attribute, as read or as accepted."""
        known = self._variables.get(name.key)
        variable = known or Variable(name=replace(name, attribute=ACTUAL))
        before = variable.attributes.get(name.attribute) or Attribute()
        kept = None if value is None or _secret(name) else value[:_MAX_VALUE]
        attributes = variable.attributes | {name.attribute: replace(before, value=kept)}
        self._keep([replace(variable, attributes=attributes)])

    def forget(self) -> None:
        """Know nothing again, as for another firmware."""
        self._variables.clear()
        self._size = 0

    def compared(self, others: Iterable[Variable]) -> Difference:
        """Return what is new or different here, and what only `others` had."""
        before = {variable.name.key: variable for variable in others}
        return Difference(
            added=_names(one for one in self if one.name.key not in before),
            removed=_names(
                one for key, one in before.items() if key not in self._variables
            ),
            changed=_names(
                one
                for one in self
                if (known := before.get(one.name.key)) is not None
                and one.bounds != known.bounds
            ),
        )

    def _keep(self, variables: list[Variable]) -> list[Variable]:
        told = []
        for variable in variables:
            key = variable.name.key
            known = self._variables.get(key)
            size = self._size + variable.size - (known.size if known else 0)
            if size > MAX_CHARACTERS or (
                known is None and len(self._variables) >= MAX_VARIABLES
            ):
                continue
            self._variables[key], self._size = variable, size
            told.append(variable)
        self._tell(told)
        return told

    # What is known

    @override
    def get(self, key: str) -> Variable | None:
        """Return a variable by its name, if it is known."""
        if (known := self.spelled(key)) is not None:
            return known
        name = parse_name(key)
        return self._variables.get(name.key) if name is not None else None

    def spelled(self, text: str) -> Variable | None:
        """Return the variable whose name is written so, even if nobody else could."""
        return self._variables.get(text.strip().lower())

    @override
    def text(self, key: str) -> str | None:
        """Return the actual value of a variable, or None."""
        return known.actual.value if (known := self.get(key)) else None

    @override
    def readonly(self, key: str) -> bool:
        """Return whether the station says that a variable cannot be written."""
        return (known := self.get(key)) is not None and known.actual.readonly

    def says_no(self, key: str) -> bool:
        """Return whether a variable clearly says no."""
        return (self.text(key) or "").strip().lower() == "false"

    def most(self, key: str) -> int | None:
        """Return the highest value that a variable may take, None if it is not told."""
        known = self.get(key)
        if known is None or known.maximum is None or known.maximum < 1:
            return None
        return int(known.maximum)

    def options(self, key: str) -> tuple[str, ...]:
        """Return the values that a variable may take, nothing if they are not told."""
        return known.values if (known := self.get(key)) else ()

    def named(self, variable: str) -> Variable | None:
        """Return the first variable of a name, whichever component it belongs to."""
        wanted = variable.lower()
        return next((one for one in self if one.name.variable.lower() == wanted), None)

    @property
    def places(self) -> dict[int, list[int]]:
        """Return the connectors of each EVSE, as far as components tell of them.

        They are in order, and no more than a station can have.
        """
        found: dict[int, set[int]] = {}
        for variable in self:
            evse_id, connector_id = variable.name.evse_id, variable.name.connector_id
            if evse_id is None or not 1 <= evse_id <= MAX_EVSES:
                continue
            connectors = found.setdefault(evse_id, set())
            if connector_id is not None and 1 <= connector_id <= MAX_EVSES:
                connectors.add(connector_id)
        room = iter(range(MAX_EVSES))
        return {
            evse_id: [one for one, _ in zip(sorted(found[evse_id]), room, strict=False)]
            for evse_id in sorted(found)
        }

    @property
    def controllers(self) -> list[str]:
        """Return the controllers that say that they are available."""
        return [
            variable.name.component
            for variable in self
            if variable.name.variable.lower() == "available"
            and variable.name.component.endswith("Ctrlr")
            and (variable.actual.value or "").lower() == "true"
        ]

    # What is kept

    @override
    def dump(self) -> list[list[Any]]:
        """Return everything known as JSON, for the journal."""
        return [dumped(one) for one in self]

    def restore(self, kept: object) -> None:
        """Take over what `dump` returned once, unless it is known better by now."""
        self._keep(
            [
                variable
                for variable in kept_variables(kept)
                if variable.name.key not in self._variables
            ]
        )


def dumped(variable: Variable) -> list[Any]:
    """Return a variable as JSON, for the journal."""
    told = variable.attributes.items()
    return [
        variable.name.parts,
        [[kind, one.value, one.mutability] for kind, one in told],
        [
            variable.data_type,
            variable.unit,
            variable.minimum,
            variable.maximum,
            variable.monitored,
        ],
        list(variable.values),
    ]


def kept_variables(kept: object) -> list[Variable]:
    """Return the variables that were kept, leaving out what cannot be read."""
    found = []
    for entry in kept if isinstance(kept, list) else ():
        match entry:
            case [
                parts,
                list(attributes),
                [kind, unit, low, high, can],
                list(listed),
            ]:
                if (name := kept_name(parts)) is not None:
                    found.append(
                        Variable(
                            name=name,
                            attributes={
                                which: Attribute(value=value, mutability=how)
                                for which, value, how in attributes
                            },
                            data_type=kind,
                            unit=unit,
                            minimum=low,
                            maximum=high,
                            values=tuple(listed),
                            monitored=can,
                        )
                    )
    return found


def _names(variables: Iterable[Variable]) -> list[str]:
    return sorted(str(one.name) for one in variables)


def _secret(name: VariableName) -> bool:
    return names_secret(name.variable)


def _read(entry: dict[str, Any]) -> Variable | None:
    """Return one ReportData (2.0.1 2.44), None if it names nothing."""
    if (name := read_name(entry)) is None:
        return None
    told = entry.get("variableCharacteristics")
    told = told if isinstance(told, dict) else {}
    options = _options(told.get("valuesList"))
    return Variable(
        name=name,
        attributes=dict(_attributes(name, entry.get("variableAttribute"))),
        data_type=_text(told.get("dataType")),
        unit=_text(told.get("unit")),
        minimum=_number(told.get("minLimit")),
        maximum=_number(told.get("maxLimit")),
        values=options,
        monitored=can
        if isinstance(can := told.get("supportsMonitoring"), bool)
        else None,
    )


def _options(listed: object) -> tuple[str, ...]:
    """Return the members of a list, each once; a cut one at its end is left out."""
    if not isinstance(listed, str):
        return ()
    members = listed[:_MAX_LIST].split(",")
    if len(listed) > _MAX_LIST:
        members.pop()
    return tuple(dict.fromkeys(one for part in members if (one := part.strip())))


def _attributes(name: VariableName, told: object) -> Iterator[tuple[str, Attribute]]:
    for one in told if isinstance(told, list) else ():
        kind = one.get("type", ACTUAL) if isinstance(one, dict) else None
        if kind in ATTRIBUTES:
            value = one.get("value")
            value = value[:_MAX_VALUE] if isinstance(value, str) else None
            mutability = _text(one.get("mutability"))
            if one.get("constant") is True:
                mutability = "ReadOnly"
            yield (
                kind,
                Attribute(
                    value=None if _secret(name) else value, mutability=mutability
                ),
            )


def _text(value: object) -> str | None:
    return value[:50] if isinstance(value, str) else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
