"""A virtual Easee cloud: REST, stream, chargers and an equalizer, without an account."""

from .charger import Charger
from .clock import SimulatedTime
from .cloud import EaseeCloud
from .commands import Behaviour
from .connection import Framing
from .equalizer import Equalizer
from .faults import Fault, Quota
from .modes import Mode
from .seed import seeded
from .vehicle import Vehicle

__all__ = [
    "Behaviour",
    "Charger",
    "EaseeCloud",
    "Equalizer",
    "Fault",
    "Framing",
    "Mode",
    "Quota",
    "SimulatedTime",
    "Vehicle",
    "seeded",
]
