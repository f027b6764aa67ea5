"""Test the buttons: a press in, one frame out."""

import pytest

from homeassistant.components.button.const import DOMAIN as BUTTON_DOMAIN, SERVICE_PRESS
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er

from .charger import Charger, Refusal, Silence
from .entities import entity_id


async def _press(hass: HomeAssistant, unique_id: str) -> None:
    """Press a button."""
    await hass.services.async_call(
        BUTTON_DOMAIN,
        SERVICE_PRESS,
        {ATTR_ENTITY_ID: entity_id(hass, "button", unique_id)},
        blocking=True,
    )


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
@pytest.mark.parametrize(
    ("unique_id", "action", "payload"),
    [
        ("CP01_reset", "Reset", {"type": "Hard"}),
        ("CP01_soft_reset", "Reset", {"type": "Soft"}),
        ("CP01_1_unlock", "UnlockConnector", {"connectorId": 1}),
    ],
)
async def test_press(
    hass: HomeAssistant,
    approved_charger: Charger,
    unique_id: str,
    action: str,
    payload: dict[str, object],
) -> None:
    await _press(hass, unique_id)
    assert approved_charger.calls(action) == [payload]


async def test_soft_reset_is_disabled_by_default(
    hass: HomeAssistant, approved_charger: Charger, entity_registry: er.EntityRegistry
) -> None:
    soft = entity_registry.async_get(entity_id(hass, "button", "CP01_soft_reset"))
    hard = entity_registry.async_get(entity_id(hass, "button", "CP01_reset"))
    assert soft is not None and soft.disabled
    assert hard is not None and not hard.disabled


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        ({"status": "UnlockFailed"}, "rejected"),
        ({"status": "NotSupported"}, "not_supported_by_charger"),
        (Refusal(code="InternalError", description="stuck"), "rejected"),
    ],
)
async def test_a_refusal_is_an_error_that_names_the_answer(
    hass: HomeAssistant,
    approved_charger: Charger,
    answer: dict[str, str] | Refusal,
    key: str,
) -> None:
    approved_charger.answers["UnlockConnector"] = answer
    with pytest.raises(HomeAssistantError) as caught:
        await _press(hass, "CP01_1_unlock")
    assert caught.value.translation_key == key
    word = answer.code if isinstance(answer, Refusal) else answer["status"]
    assert word in str(caught.value)


async def test_a_charger_may_restart_instead_of_answering(
    hass: HomeAssistant, approved_charger: Charger
) -> None:
    approved_charger.answers["Reset"] = Silence()
    task = hass.async_create_task(_press(hass, "CP01_reset"))
    await approved_charger.expect("Reset")
    await approved_charger.close()
    await task
