"""Conformance: the ways by which chargers of OCPP 2.x dial (B09, B10)."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import issue_registry as ir

from ..ha.charger import Payload, Refusal
from ..ha.charger_v2 import name_of
from ..ha.conftest import ChargerFactory
from ..ha.secured import IDENTITY, act
from ..ha.secured_v2 import ACTIVE, PRIORITY, SecuredCharger2, secured_charger2
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.station.security.kept import Upgrade

WAY = {"slot": 2, "url": "ws://192.168.1.20:9000/ocpp", "security_profile": 1}


@pytest.fixture(params=["2.0.1", "2.1"])
async def charger(
    request: pytest.FixtureRequest, hass: HomeAssistant, hub: OcppHub, tmp_path: Path
) -> AsyncGenerator[SecuredCharger2]:
    """Return a charger of each version with a password."""
    async with secured_charger2(hass, hub, tmp_path, version=request.param) as charger:
        charger.received.clear()
        yield charger


@pytest.fixture
async def charger21(
    hass: HomeAssistant, hub: OcppHub, tmp_path: Path
) -> AsyncGenerator[SecuredCharger2]:
    """Return a charger of 2.1 that has variables for its networks."""
    async with secured_charger2(hass, hub, tmp_path, version="2.1") as charger:
        charger.received.clear()
        charger.answers["SetNetworkProfile"] = Refusal(code="NotImplemented")
        yield charger


def way_of(entry: MockConfigEntry) -> Upgrade:
    """Return how far the charger got."""
    upgrade = entry.runtime_data.stations[IDENTITY].security.upgrade.value
    assert isinstance(upgrade, Upgrade)
    return upgrade


# Writing a way


@pytest.mark.conformance("TC_B_42_CSMS")
@pytest.mark.conformance("UC_B09")
async def test_way_is_written(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger2
) -> None:
    answer = await act(
        hass, init_integration, "set_network_profile", **WAY, interface="Wireless0"
    )
    assert answer["status"] == "accepted"
    (told,) = charger.calls("SetNetworkProfile")
    data = told["connectionData"]
    assert told["configurationSlot"] == 2
    assert data.pop("ocppVersion", "OCPP20") == "OCPP20"
    assert data == {
        "messageTimeout": 30,
        "ocppCsmsUrl": WAY["url"],
        "ocppInterface": "Wireless0",
        "ocppTransport": "JSON",
        "securityProfile": 1,
    }


@pytest.mark.conformance("TC_B_44_CSMS")
@pytest.mark.parametrize("status", ["Failed", "Rejected"])
async def test_way_that_is_not_taken_is_told(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger: SecuredCharger2,
    status: str,
) -> None:
    info = {"reasonCode": "InvalidConfSlot"}
    charger.answers["SetNetworkProfile"] = {"status": status, "statusInfo": info}
    with pytest.raises(HomeAssistantError) as err:
        await act(hass, init_integration, "set_network_profile", **WAY)
    assert err.value.translation_key == "rejected"
    assert status in str(err.value.translation_placeholders)
    assert (await charger.call("Heartbeat")).keys() == {"currentTime"}


@pytest.mark.conformance("TC_B_105_CSMS")
async def test_way_is_written_by_variables(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger21: SecuredCharger2
) -> None:
    told: dict[str, str] = {}

    def set_variables(payload: Payload) -> Payload:
        results = []
        for one in payload["setVariableData"]:
            assert one["component"] == {"name": "NetworkConfiguration", "instance": "2"}
            name = one["variable"]["name"]
            told[name] = one["attributeValue"]
            unknown = name in {"ApnEnabled", "VpnEnabled"}
            status = "UnknownVariable" if unknown else "RebootRequired"
            where = {"component": one["component"], "variable": one["variable"]}
            results.append({**where, "attributeStatus": status})
        return {"setVariableResult": results}

    charger21.answers["SetVariables"] = set_variables
    answer = await act(hass, init_integration, "set_network_profile", **WAY)
    assert answer["status"] in {"accepted", "reboot_required"}
    assert told == {
        "ApnEnabled": "false",
        "MessageTimeout": "30",
        "OcppCsmsUrl": WAY["url"],
        "OcppInterface": "Any",
        "OcppTransport": "JSON",
        "SecurityProfile": "1",
        "VpnEnabled": "false",
    }


@pytest.mark.parametrize("status", ["Rejected", "UnknownVariable", "UnknownComponent"])
async def test_variable_that_is_not_taken_is_told(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger21: SecuredCharger2,
    status: str,
) -> None:
    def set_variables(payload: Payload) -> Payload:
        return {
            "setVariableResult": [
                {
                    "component": one["component"],
                    "variable": one["variable"],
                    "attributeStatus": status
                    if one["variable"]["name"] == "OcppCsmsUrl"
                    else "Accepted",
                }
                for one in payload["setVariableData"]
            ]
        }

    charger21.answers["SetVariables"] = set_variables
    with pytest.raises(HomeAssistantError) as err:
        await act(hass, init_integration, "set_network_profile", **WAY)
    assert err.value.translation_key in {"rejected", "not_supported_by_charger"}


async def test_way_in_use_is_not_overwritten(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger2
) -> None:
    with pytest.raises(ServiceValidationError) as err:
        await act(hass, init_integration, "set_network_profile", **{**WAY, "slot": 1})
    assert err.value.translation_key == "network_slot_in_use"
    assert not charger.calls("SetNetworkProfile")


async def test_address_has_to_fit_the_profile(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger: SecuredCharger2,
) -> None:
    url = "wss://192.168.1.20:9000"
    for action in ("move_charger", "set_network_profile"):
        fields = (
            {**WAY, "url": url} if action == "set_network_profile" else {"url": url}
        )
        with pytest.raises(ServiceValidationError) as err:
            await act(hass, init_integration, action, **fields)
        assert err.value.translation_key == "url_needs_profile"


@pytest.mark.parametrize(
    "url", ["http://192.168.1.20", "ws://", "ws://me:secret12@host", "ws://host/?a=b"]
)
async def test_what_is_no_address_is_not_sent(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger: SecuredCharger2,
    url: str,
) -> None:
    with pytest.raises(Exception, match="URL"):
        await act(hass, init_integration, "move_charger", url=url)
    assert not charger.received


async def test_ways_are_listed(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger2
) -> None:
    found = await act(hass, init_integration, "get_network_profiles")
    assert found == {"active": 1, "priority": [1], "slots": []}


async def test_charger_of_1_6_knows_no_ways(
    hass: HomeAssistant, hub: OcppHub, charger_ws: ChargerFactory
) -> None:
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    charger = await charger_ws(IDENTITY)
    await charger.boot()
    actions: list[tuple[str, dict[str, Any]]] = [
        ("get_network_profiles", {}),
        ("move_charger", {"url": "ws://192.168.1.20:9000"}),
        ("set_network_profile", {**WAY}),
    ]
    for action, fields in actions:
        if action == "set_network_profile":
            fields = {**fields, "security_profile": 0}
        with pytest.raises(HomeAssistantError) as err:
            await act(hass, hub.entry, action, **fields)
        assert err.value.translation_key == "not_supported"


# Moving


async def test_charger_moves_and_gives_the_old_address_up(
    hass: HomeAssistant,
    hub: OcppHub,
    init_integration: MockConfigEntry,
    charger: SecuredCharger2,
) -> None:
    # Another name of the same server; the charger adds its identity by itself.
    url = f"ws://localhost:{hub.port}/ocpp"
    charger.networks[1]["ocppCsmsUrl"] = f"ws://127.0.0.1:{hub.port}"
    answer = await act(hass, init_integration, "move_charger", url=f"{url}/{IDENTITY}")
    assert answer["profile"] == 1
    await charger.until(lambda: way_of(init_integration).step == "done")
    assert charger.slot == 2
    assert charger.networks[2]["ocppCsmsUrl"] == url
    orders = [
        one["attributeValue"]
        for payload in charger.calls("SetVariables")
        for one in payload["setVariableData"]
        if name_of(one) == PRIORITY
    ]
    assert orders == ["2,1", "2"]
    assert charger.calls("Reset") == [{"type": "Immediate"}]


async def test_charger_that_reaches_nobody_comes_back(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger2
) -> None:
    def restart(payload: Payload) -> Payload:
        # It tries the new address in vain, and dials the old one.
        charger.variables[ACTIVE] = ("1", True)
        charger._later(charger.redial())
        return {"status": "Accepted"}

    charger.answers["Reset"] = restart
    await act(hass, init_integration, "move_charger", url="ws://192.0.2.1:9000")
    await charger.until(lambda: way_of(init_integration).failure is not None)
    assert way_of(init_integration).failure == "fell_back"
    assert charger.priority == [1]
    await hass.async_block_till_done()
    found = ir.async_get(hass).issues
    keys = [one.translation_key for one in found.values() if one.domain == DOMAIN]
    assert "move_fell_back" in keys
    await act(hass, init_integration, "set_security_profile", profile=1)
    await hass.async_block_till_done()
    found = ir.async_get(hass).issues
    keys = [one.translation_key for one in found.values() if one.domain == DOMAIN]
    assert "move_fell_back" not in keys
