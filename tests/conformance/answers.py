"""What the actions of the integration answer, for tests of what became of a frame."""

from typing import Any

from homeassistant.core import HomeAssistant

from ..ha.entities import act


async def sessions(hass: HomeAssistant) -> list[dict[str, Any]]:
    """Return the sessions of the charger, newest first."""
    found: list[dict[str, Any]] = (await act(hass, "get_sessions"))["sessions"]
    return found
