"""A virtual OCPP 2.0.1 and 2.1 charging station: a library's habits, and a box."""

from .battery_swap import Battery
from .box import Box
from .device_model import DEFAULT, EVERYTHING
from .moods import SUPPORTED
from .station import ChargingStation
from .values import EventData, IdToken, MeterValue, SampledValue
from .vendors import VENDORS_2

__all__ = [
    "DEFAULT",
    "EVERYTHING",
    "SUPPORTED",
    "VENDORS_2",
    "Battery",
    "Box",
    "ChargingStation",
    "EventData",
    "IdToken",
    "MeterValue",
    "SampledValue",
]
