"""Lights of chargers."""

from homeassistant.const import Platform

from .easee_lights import EASEE_LIGHTS, EaseeLight
from .growth import HubPlatform

PARALLEL_UPDATES = 0

async_setup_entry = HubPlatform(
    platform=Platform.LIGHT, entity=EaseeLight, of_easee=EASEE_LIGHTS
).async_setup_entry
