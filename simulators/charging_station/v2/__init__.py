"""A virtual OCPP 2.0.1 and 2.1 charging station: a library's habits, and a box."""

from .box import Box
from .station import ChargingStation
from .values import EventData, IdToken, MeterValue, SampledValue

__all__ = [
    "Box",
    "ChargingStation",
    "EventData",
    "IdToken",
    "MeterValue",
    "SampledValue",
]
