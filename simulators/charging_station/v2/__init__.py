"""A virtual OCPP 2.0.1 and 2.1 charging station: a library's habits, and a box."""

from .battery_swap import Battery
from .box import Box
from .device_model import DEFAULT, EVERYTHING
from .station import ChargingStation
from .values import EventData, IdToken, MeterValue, SampledValue

__all__ = [
    "DEFAULT",
    "EVERYTHING",
    "Battery",
    "Box",
    "ChargingStation",
    "EventData",
    "IdToken",
    "MeterValue",
    "SampledValue",
]
