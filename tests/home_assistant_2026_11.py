"""Pytest plugin: lets the plugin made for Home Assistant 2026.10 run on 2026.11.

It is loaded with `-p` before all others, because Home Assistant replaces httpx and
voluptuous while it is imported. To be dropped with requirements_2026.11.txt.
"""

from homeassistant.components import logger
from homeassistant.components.logger import helpers

logger._clear_logger_overwrites = helpers._clear_logger_overwrites  # type: ignore[attr-defined]
