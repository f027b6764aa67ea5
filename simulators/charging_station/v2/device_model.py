"""The device model: components, their variables, and what they may be set to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
import json
from pathlib import Path
from typing import Any

from .values import Json, present

DEFAULT = Path(__file__).with_name("device_model.json")
EVERYTHING = Path(__file__).with_name("device_model_2_1.json")
"""A station that can do all of OCPP 2.1, which the real library cannot."""
ITEM_LIMITS = {"GetVariables": 100, "SetVariables": 100, "GetReport": 100}


@dataclass(kw_only=True, frozen=True, slots=True, order=True)
class Address:
    """Where a variable is; the order is the one of the real library's maps."""

    component: str
    instance: str = ""
    evse: int = 0
    connector: int = 0
    variable: str
    variable_instance: str = ""

    @classmethod
    def read(cls, item: Json) -> Address:
        """Return the address that an item of a request names."""
        component, variable = item["component"], item["variable"]
        evse = component.get("evse", {})
        return cls(
            component=component["name"],
            instance=component.get("instance", ""),
            evse=evse.get("id", 0),
            connector=evse.get("connectorId", 0),
            variable=variable["name"],
            variable_instance=variable.get("instance", ""),
        )

    @property
    def place(self) -> tuple[str, str, int, int]:
        """Return the component alone."""
        return self.component, self.instance, self.evse, self.connector

    def wire(self) -> Json:
        """Return component and variable as they go over the wire."""
        evse = present(id=self.evse or None, connectorId=self.connector or None)
        return {
            "component": present(
                name=self.component, instance=self.instance or None, evse=evse or None
            ),
            "variable": present(
                name=self.variable, instance=self.variable_instance or None
            ),
        }


@dataclass(kw_only=True, slots=True)
class Variable:
    """One variable: its value and what it may be."""

    type: str
    access: str
    value: str | None = None
    unit: str | None = None
    values: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    also: tuple[str, ...] = ()
    """Other attributes than Actual, all without a value."""
    monitoring: bool = True
    reboot: bool = False
    """Whether a new value counts after the next start only."""
    changed: bool = field(default=False)
    """Whether the value is another than the factory's."""

    def takes(self, value: str) -> bool:
        """Return whether a value is one that it may have."""
        match self.type:
            case "boolean":
                return value in ("true", "false")
            case "integer" | "decimal":
                return self._takes_number(value)
            case "OptionList":
                return self.values is None or value in self.values.split(",")
            case "MemberList" | "SequenceList":
                return self._takes_list(value)
            case "dateTime":
                return _is_moment(value)
            case _:
                return self._in_range(len(value))

    def _takes_number(self, value: str) -> bool:
        try:
            number = float(value) if self.type == "decimal" else int(value)
        except ValueError:
            return False
        return self._in_range(number)

    def _in_range(self, number: float) -> bool:
        low = self.minimum is None or number >= self.minimum
        return low and (self.maximum is None or number <= self.maximum)

    def _takes_list(self, value: str) -> bool:
        members = value.split(",") if value else []
        if len(set(members)) != len(members):
            return False
        return self.values is None or set(members) <= {*self.values.split(",")}

    def wire(self) -> Json:
        """Return attributes and characteristics as a report tells them."""
        attributes = [
            {
                "constant": False,
                "mutability": self.access,
                "persistent": True,
                "type": kind,
            }
            for kind in ("Actual", *self.also)
        ]
        if self.value is not None and self.access != "WriteOnly":
            attributes[0]["value"] = self.value
        return {
            "variableAttribute": attributes,
            "variableCharacteristics": present(
                dataType=self.type,
                maxLimit=self.maximum,
                minLimit=self.minimum,
                supportsMonitoring=self.monitoring,
                unit=self.unit,
                valuesList=self.values,
            ),
        }


def _is_moment(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


class DeviceModel:
    """All variables of one station, by address."""

    def __init__(self, evses: Iterable[int], path: Path = DEFAULT) -> None:
        """Read the model of a station with so many connectors on each EVSE."""
        self._evses = dict(enumerate(evses, 1))
        self.variables: dict[Address, Variable] = {}
        self._read(path)
        self.variables = dict(sorted(self.variables.items()))

    def _read(self, path: Path) -> None:
        """Take a file, after the one that it adds to."""
        model = json.loads(path.read_text(encoding="utf-8"))
        if (base := model.get("extends")) is not None:
            self._read(path.with_name(base))
        for component in model["components"]:
            for evse, connector in self._places(component.get("per")):
                self._add(component, evse, connector, model["lists"])

    def _places(self, per: str | None) -> Iterator[tuple[int, int]]:
        """Yield where a component is."""
        if per is None:
            yield 0, 0
            return
        for evse, connectors in self._evses.items():
            for connector in range(1, connectors + 1) if per == "connector" else [0]:
                yield evse, connector

    def _add(
        self, component: Json, evse: int, connector: int, lists: dict[str, str]
    ) -> None:
        for told in component["variables"]:
            described = dict(told)
            address = Address(
                component=component["name"],
                instance=component.get("instance", ""),
                evse=evse,
                connector=connector,
                variable=described.pop("name"),
                variable_instance=described.pop("instance", ""),
            )
            if name := described.pop("list", None):
                described["values"] = lists[name]
            described["also"] = tuple(described.get("also", ()))
            self.variables[address] = Variable(**described)

    # For the station itself

    def at(self, name: str, evse: int = 0, connector: int = 0) -> Address:
        """Return the address of `Component.Variable` or `Component.Variable[instance]`."""
        component, _, variable = name.partition(".")
        variable, _, instance = variable.partition("[")
        return Address(
            component=component,
            evse=evse,
            connector=connector,
            variable=variable,
            variable_instance=instance.removesuffix("]"),
        )

    def text(self, name: str, evse: int = 0) -> str:
        """Return a value; an empty one where there is none."""
        variable = self.variables.get(self.at(name, evse))
        return (variable and variable.value) or ""

    def number(self, name: str, otherwise: int = 0) -> int:
        """Return a number; another one where there is none."""
        return int(self.text(name) or otherwise)

    def flag(self, name: str, evse: int = 0, *, otherwise: bool = False) -> bool:
        """Return a choice; another one where there is none."""
        text = self.text(name, evse)
        return text == "true" if text else otherwise

    def members(self, name: str, evse: int = 0) -> list[str]:
        """Return the members of a list."""
        text = self.text(name, evse)
        return text.split(",") if text else []

    def put(self, name: str, value: str, evse: int = 0, connector: int = 0) -> None:
        """Have a value, where the station has such a variable at all."""
        address = self.at(name, evse, connector)
        if (variable := self.variables.get(address)) is not None:
            variable.value = value

    # For the central system

    def find(self, address: Address) -> tuple[Variable | None, str]:
        """Return a variable, or why there is none, in OCPP's words."""
        if (variable := self.variables.get(address)) is not None:
            return variable, "Accepted"
        known = any(one.place == address.place for one in self.variables)
        return None, "UnknownVariable" if known else "UnknownComponent"

    def get(self, item: Json) -> Json:
        """Return the result of reading one variable (OCPP 2.0.1 B06)."""
        address, kind = Address.read(item), item.get("attributeType", "Actual")
        variable, status = self.find(address)
        value = None
        if variable is not None:
            if kind not in ("Actual", *variable.also):
                status = "NotSupportedAttributeType"
            elif variable.access == "WriteOnly":
                status = "Rejected"
            else:
                value = (variable.value or "") if kind == "Actual" else ""
        return present(
            attributeStatus=status,
            attributeType=kind,
            attributeValue=value,
            **address.wire(),
        )

    def set(self, item: Json) -> Json:
        """Return the result of writing one variable (OCPP 2.0.1 B05)."""
        address, kind = Address.read(item), item.get("attributeType", "Actual")
        value = item["attributeValue"]
        variable, status = self.find(address)
        if variable is not None:
            if kind not in ("Actual", *variable.also):
                status = "NotSupportedAttributeType"
            elif (
                kind != "Actual"
                or variable.access == "ReadOnly"
                or not variable.takes(value)
            ):
                status = "Rejected"
            else:
                variable.value, variable.changed = value, True
                status = "RebootRequired" if variable.reboot else "Accepted"
        return {"attributeStatus": status, "attributeType": kind, **address.wire()}

    def report(self, addresses: Iterable[Address]) -> list[Json]:
        """Return what a report says about some variables."""
        return [{**one.wire(), **self.variables[one].wire()} for one in addresses]

    def inventory(self, base: str) -> list[Address] | None:
        """Return what belongs to a base report; None if there is no such report."""
        match base:
            case "FullInventory":
                return [*self.variables]
            case "ConfigurationInventory":
                return [
                    address
                    for address, one in self.variables.items()
                    if one.access != "ReadOnly"
                ]
            case "SummaryInventory":
                summary = {"Available", "AvailabilityState", "Problem", "Enabled"}
                return [one for one in self.variables if one.variable in summary]
            case _:
                return None

    def matching(self, criteria: list[str], wanted: list[Json]) -> list[Address]:
        """Return the variables of a custom report (OCPP 2.0.1 B08)."""
        return [
            address
            for address in self.variables
            if (not wanted or any(_matches(address, one) for one in wanted))
            and (not criteria or self._meets(address, criteria))
        ]

    def _meets(self, address: Address, criteria: list[str]) -> bool:
        """Return whether a component is what one of the criteria names (B08.FR.07)."""
        for criterion in criteria:
            named = [
                one
                for at, one in self.variables.items()
                if at.place == address.place and at.variable == criterion
            ]
            # A component without Active or Enabled counts as if it were.
            missing = criterion in ("Active", "Enabled")
            if any(one.value == "true" for one in named) or (missing and not named):
                return True
        return False

    # Memory

    def dump(self) -> list[Any]:
        """Return what was changed, for the memory."""
        return [
            [one.wire(), variable.value]
            for one, variable in self.variables.items()
            if variable.changed
        ]

    def load(self, kept: list[Any]) -> None:
        """Take what was changed before."""
        for told, value in kept:
            if (variable := self.variables.get(Address.read(told))) is not None:
                variable.value, variable.changed = value, True


def _matches(address: Address, wanted: Json) -> bool:
    """Return whether a variable is what a component-variable names, or part of it."""
    component, variable = wanted["component"], wanted.get("variable", {})
    evse = component.get("evse", {})
    return all(
        asked in (None, there)
        for asked, there in (
            (component["name"], address.component),
            (component.get("instance"), address.instance),
            (evse.get("id"), address.evse),
            (evse.get("connectorId"), address.connector),
            (variable.get("name"), address.variable),
            (variable.get("instance"), address.variable_instance),
        )
    )


def pages(items: list[Json], most: int) -> list[list[Json]]:
    """Return items in pages of at most so many bytes of JSON."""
    pages: list[list[Json]] = [[]]
    size = 0
    for item in items:
        length = len(json.dumps(item, separators=(",", ":")).encode())
        if pages[-1] and size + length > most:
            pages.append([])
            size = 0
        pages[-1].append(item)
        size += length
    return pages
