"""Names: how a variable of the device model is written in one word.

`Component.Variable`, with instances in brackets, the EVSE (and connector) behind a `#`
and any attribute but the actual value behind a colon: `OCPPCommCtrlr.HeartbeatInterval`,
`EVSE#1.Power`, `Connector#1/2.ConnectorType`, `SmartChargingCtrlr.Entries[Profiles]`,
`EVSE#1.Power:MaxSet`.
"""

from dataclasses import dataclass, replace
import re
from typing import Any, override

from ..renamed import FROM_16

ACTUAL = "Actual"
ATTRIBUTES = (ACTUAL, "Target", "MinSet", "MaxSet")

_MAX_TEXT = 200
_NAME = re.compile(
    r"(?P<component>[^.\[\]#]+)(?:\[(?P<instance>[^\]]*)\])?"
    r"(?:#(?P<evse>\d{1,4})(?:/(?P<connector>\d{1,4}))?)?"
    r"\.(?P<variable>[^\[\]:]+)(?:\[(?P<member>[^\]]*)\])?(?::(?P<attribute>\w+))?"
)

_FROM_16 = {key.lower(): name for key, name in FROM_16.items()}


@dataclass(kw_only=True, slots=True, frozen=True)
class VariableName:
    """Which variable of which component, and which of its attributes (2.0.1 2.15)."""

    component: str
    variable: str
    component_instance: str | None = None
    variable_instance: str | None = None
    evse_id: int | None = None
    connector_id: int | None = None
    attribute: str = ACTUAL

    @override
    def __str__(self) -> str:
        """Return the name in one word."""
        place = "" if self.evse_id is None else f"#{self.evse_id}"
        if self.evse_id is not None and self.connector_id is not None:
            place += f"/{self.connector_id}"
        end = "" if self.attribute == ACTUAL else f":{self.attribute}"
        return (
            f"{self.component}{_bracketed(self.component_instance)}{place}"
            f".{self.variable}{_bracketed(self.variable_instance)}{end}"
        )

    @property
    def key(self) -> str:
        """Return the variable as it is compared: without case and attribute."""
        return str(replace(self, attribute=ACTUAL)).lower()

    @property
    def parts(self) -> list[str | int | None]:
        """Return what names the variable, as JSON: some names are no single word."""
        return [
            self.component,
            self.component_instance,
            self.evse_id,
            self.connector_id,
            self.variable,
            self.variable_instance,
        ]

    @property
    def payload(self) -> dict[str, Any]:
        """Return the fields `component` and `variable` of a message."""
        component: dict[str, Any] = {"name": self.component}
        if self.component_instance is not None:
            component["instance"] = self.component_instance
        if self.evse_id is not None:
            component["evse"] = {"id": self.evse_id}
            if self.connector_id is not None:
                component["evse"]["connectorId"] = self.connector_id
        variable = {"name": self.variable}
        if self.variable_instance is not None:
            variable["instance"] = self.variable_instance
        return {"component": component, "variable": variable}


def parse_name(text: str) -> VariableName | None:
    """Return what a user means by a name, None if it is none."""
    text = text.strip()
    text = _FROM_16.get(text.lower(), text)
    if len(text) > _MAX_TEXT or (found := _NAME.fullmatch(text)) is None:
        return None
    wanted = (found["attribute"] or ACTUAL).lower()
    attribute = next((one for one in ATTRIBUTES if one.lower() == wanted), None)
    if attribute is None:
        return None
    evse, connector = found["evse"], found["connector"]
    return VariableName(
        component=found["component"].strip(),
        variable=found["variable"].strip(),
        component_instance=found["instance"],
        variable_instance=found["member"],
        evse_id=None if evse is None else int(evse),
        connector_id=None if connector is None else int(connector),
        attribute=attribute,
    )


def kept_name(parts: object) -> VariableName | None:
    """Return the name that was kept as `parts`, None if it is none."""
    match parts:
        case [
            str(component),
            str() | None as instance,
            int() | None as evse_id,
            int() | None as connector_id,
            str(variable),
            str() | None as member,
        ]:
            return VariableName(
                component=component,
                component_instance=instance,
                evse_id=evse_id,
                connector_id=connector_id,
                variable=variable,
                variable_instance=member,
            )
    return None


def parse_component(text: str) -> dict[str, Any] | None:
    """Return the field `component`, and `variable` if one is named, None for neither."""
    if (name := parse_name(text)) is not None:
        return name.payload
    # With any variable it is a name like every other.
    whole = parse_name(f"{text.strip()}.Any")
    return None if whole is None else {"component": whole.payload["component"]}


def read_name(entry: dict[str, Any]) -> VariableName | None:
    """Return the variable that a part of a message is about, None if it names none."""
    component, variable = entry.get("component"), entry.get("variable")
    if not isinstance(component, dict) or not isinstance(variable, dict):
        return None
    name, member = _text(component.get("name")), _text(variable.get("name"))
    if name is None or member is None:
        return None
    evse = component.get("evse")
    evse = evse if isinstance(evse, dict) else {}
    return VariableName(
        component=name,
        variable=member,
        component_instance=_text(component.get("instance")),
        variable_instance=_text(variable.get("instance")),
        evse_id=_number(evse.get("id")),
        connector_id=_number(evse.get("connectorId")),
        attribute=_text(entry.get("attributeType")) or ACTUAL,
    )


def _bracketed(instance: str | None) -> str:
    return "" if instance is None else f"[{instance}]"


def _text(value: object) -> str | None:
    if not isinstance(value, str) or not value.strip():
        return None
    return value.strip()[:_MAX_TEXT]


def _number(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    return value
