"""A virtual charging station: a believable one, and on request a badly behaved one."""

from .clock import VirtualClock
from .misbehaviour import Misbehaviour
from .v16 import ChargingStation16
from .vehicle import Vehicle
from .vendors import VENDORS, VendorProfile

__all__ = [
    "VENDORS",
    "ChargingStation16",
    "Misbehaviour",
    "Vehicle",
    "VendorProfile",
    "VirtualClock",
]
