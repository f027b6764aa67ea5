"""Sensor descriptions: what all sensors of chargers are described by."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from homeassistant.components.sensor import SensorEntityDescription

from .entity import HubEntityDescription, Subject

TEXT_LENGTH = 255
"""Home Assistant refuses states that are longer."""

type Value = str | int | float | datetime | None


@dataclass(frozen=True, kw_only=True)
class HubSensorDescription[S: Subject](
    SensorEntityDescription, HubEntityDescription[S]
):
    """Describe a sensor; `last_reset_fn` tells since when money is counted."""

    last_reset_fn: Callable[[S], datetime | None] = lambda _: None
    value_fn: Callable[[S], Value]


def as_state(text: str | None) -> str | None:
    """Return a text of the charger as a state."""
    return text[:TEXT_LENGTH] if text else None
