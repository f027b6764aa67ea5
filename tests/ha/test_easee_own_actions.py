"""Actions that only Easee chargers, equalizers and sites have."""

from datetime import timedelta
from typing import Any

import probatio
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util

from .charger import Charger as OcppCharger
from .easee import EaseeHome
from .easee_acts import OSLO, perform, plug_in, refused, while_time_passes, written
from .entities import act, entity_id, state
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.easee_hub import EaseeHub
from simulators.easee_cloud import Behaviour, Charger, EaseeCloud, Fault
from simulators.easee_cloud.equalizer import Equalizer
from simulators.easee_cloud.history import Price
from simulators.easee_cloud.seed import CHARGER, EQUALIZER, SECOND

SITE = "easee_site_1"
PRICE = {"costPerKWh", "costPerKwhExcludeVat", "currencyId", "vat"}


@pytest.fixture
async def charger(
    hass: HomeAssistant, easee_hub: EaseeHub, easee_cloud: EaseeCloud
) -> Charger:
    """Return the primary charger of the circuit, in a house in Norway."""
    await hass.config.async_set_time_zone(OSLO)
    return easee_cloud.chargers[CHARGER]


# Limits


async def test_limits_of_a_circuit_by_phase(
    easee_home: EaseeHome, easee_cloud: EaseeCloud, charger: Charger
) -> None:
    circuit = charger.circuit
    before = list(circuit.maximum)
    answer = await perform(
        easee_home, "easee_set_circuit_limits", SECOND, kind="maximum", current_l2=10
    )
    assert answer["limits"] == {"l1": before[0], "l2": 10, "l3": before[2]}
    assert circuit.maximum == [before[0], 10, before[2]]
    (sent,) = easee_cloud.journal.find("POST", "circuits")
    assert sent.body == {"maxCircuitCurrentP2": 10}
    again = await perform(
        easee_home, "easee_set_circuit_limits", kind="maximum", current_l2=10
    )
    assert again["answer"] == "no change"
    await perform(easee_home, "easee_set_circuit_limits", kind="offline", current=8)
    assert circuit.offline == [8, 8, 8]
    await perform(easee_home, "easee_set_circuit_limits", kind="dynamic", current=12)
    assert circuit.dynamic == [12, 12, 12]


async def test_a_dynamic_limit_of_a_circuit_ends(
    easee_home: EaseeHome, charger: Charger
) -> None:
    circuit = charger.circuit
    await perform(easee_home, "easee_set_circuit_limits", kind="offline", current=7)
    answer = await perform(
        easee_home,
        "easee_set_circuit_limits",
        kind="dynamic",
        current=16,
        time_to_live={"seconds": 61},
    )
    assert answer["limits"] == {"l1": 16, "l2": 16, "l3": 16}
    await easee_home.passes(115)
    assert circuit.dynamic == [16, 16, 16]
    await easee_home.passes(10)
    assert circuit.dynamic == [7, 7, 7]


async def test_a_limit_for_good_replaces_the_same_for_a_while(
    easee_home: EaseeHome, charger: Charger
) -> None:
    fields: dict[str, Any] = {"kind": "dynamic", "current": 16}
    for lasts in ({"time_to_live": {"minutes": 1}}, {}):
        await perform(easee_home, "easee_set_circuit_limits", **fields, **lasts)
    await easee_home.passes(90)
    assert charger.circuit.dynamic == [16, 16, 16]


@pytest.mark.parametrize("stream", [True, False])
async def test_a_maximum_that_is_there_already_wears_nothing(
    easee_home: EaseeHome, easee_cloud: EaseeCloud, charger: Charger, stream: bool
) -> None:
    """Neither does it have to wait because it was written a moment ago."""
    fields: dict[str, Any] = {"kind": "maximum", "current": 20}
    await perform(easee_home, "easee_set_charger_limit", **fields)
    await easee_home.passes(5)
    before = written(easee_cloud)
    if not stream:
        easee_cloud.faults.add(Fault(pattern="/negotiate$", times=None, status=503))
        easee_cloud.hub.drop()
        await easee_home.passes(5)
    answer = await perform(easee_home, "easee_set_charger_limit", **fields)
    assert (answer["status"], answer["answer"]) == ("confirmed", "no change")
    assert written(easee_cloud) == before


async def test_memory_that_wears_is_written_so_often_a_day(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    """Whoever asks for it; the error says when it can be asked for again."""
    begun = easee_home.time()
    slider = entity_id(hass, "number", f"{CHARGER}_maximum_current")
    for count in range(25):
        amps = 20 + count % 2
        if count % 5:
            data = {"entity_id": slider, "value": amps}
            setting = hass.services.async_call(
                "number", "set_value", data, blocking=True
            )
            await while_time_passes(easee_home, setting)
        else:
            fields = {"kind": "maximum", "current": amps}
            await perform(easee_home, "easee_set_charger_limit", **fields)
        await easee_home.passes(61)
    assert charger[47] == 20
    again_at = dt_util.as_local(begun + timedelta(days=1))
    fields = {"kind": "maximum", "current": 25}
    with pytest.raises(HomeAssistantError) as raised:
        await perform(easee_home, "easee_set_charger_limit", **fields)
    assert raised.value.translation_key == "easee_writes_spent"
    placeholders = raised.value.translation_placeholders
    assert placeholders is not None
    assert placeholders["until"] == f"{again_at:%Y-%m-%d %H:%M}"
    data = {"entity_id": slider, "value": 25}
    setting = hass.services.async_call("number", "set_value", data, blocking=True)
    with pytest.raises(HomeAssistantError) as raised:
        await while_time_passes(easee_home, setting)
    assert raised.value.translation_key == "easee_writes_spent"
    assert charger[47] == 20
    # What costs nothing goes on.
    await perform(easee_home, "easee_set_charger_limit", kind="dynamic", current=10)
    await perform(easee_home, "easee_set_charger_limit", kind="maximum", current=20)


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"kind": "maximum"}, "easee_phases"),
        ({"kind": "maximum", "current": 10, "current_l1": 6}, "easee_phases"),
        ({"kind": "maximum", "current": 80}, "easee_above_fuse"),
        (
            {"kind": "offline", "current": 6, "time_to_live": {"minutes": 5}},
            "easee_lasts_only_dynamic",
        ),
    ],
)
async def test_limits_of_a_circuit_that_cannot_be(
    easee_home: EaseeHome,
    easee_cloud: EaseeCloud,
    charger: Charger,
    fields: dict[str, Any],
    key: str,
) -> None:
    assert await refused(easee_home, "easee_set_circuit_limits", **fields) == key
    assert not written(easee_cloud)


async def test_memory_is_spared(easee_home: EaseeHome, charger: Charger) -> None:
    await perform(easee_home, "easee_set_charger_limit", kind="maximum", current=20)
    assert charger[47] == 20
    fields = {"kind": "maximum", "current": 25}
    assert await refused(easee_home, "easee_set_charger_limit", **fields) == (
        "easee_writes_spent"
    )
    assert charger[47] == 20


async def test_a_dynamic_limit_of_a_charger_is_the_current_limit(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    await plug_in(easee_home, charger)
    await perform(
        easee_home,
        "easee_set_charger_limit",
        kind="dynamic",
        current=10,
        time_to_live={"minutes": 10},
    )
    assert charger[48] == 10
    assert state(hass, "number", f"{CHARGER}_1_current_limit") == "10.0"
    await easee_home.passes(660)
    assert charger[48] == 32
    fields = {"kind": "maximum", "current": 10, "time_to_live": {"minutes": 1}}
    assert await refused(easee_home, "easee_set_charger_limit", **fields) == (
        "easee_lasts_only_dynamic"
    )


# Settings


async def test_light_phases_and_smart_charging(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    await perform(easee_home, "easee_set_led", brightness=30)
    await perform(easee_home, "easee_set_phase_mode", mode="single_phase")
    await perform(easee_home, "easee_set_smart_charging", enabled=True)
    assert (charger[40], charger[38], charger[102]) == (30, 1, True)
    assert state(hass, "select", f"{CHARGER}_phase_mode") == "single_phase"
    assert state(hass, "switch", f"{CHARGER}_smart_charging") == "on"


@pytest.mark.usefixtures("entity_registry_enabled_by_default")
async def test_who_may_charge(
    hass: HomeAssistant, easee_home: EaseeHome, charger: Charger
) -> None:
    answer = await perform(easee_home, "easee_set_access", access="whitelist")
    assert answer["status"] == "confirmed"
    assert charger.access == 3
    assert state(hass, "select", f"{CHARGER}_access") == "whitelist"


async def test_a_rejected_setting_is_an_error(
    easee_home: EaseeHome, easee_cloud: EaseeCloud, charger: Charger
) -> None:
    easee_cloud.commands.next(Behaviour(reject=4))
    assert await refused(easee_home, "easee_set_led", brightness=1) == "rejected"
    easee_cloud.faults.add(Fault(pattern="/access", status=403, body={}))
    assert await refused(easee_home, "easee_set_access", access="open") == "rejected"
    easee_cloud.faults.add(Fault(pattern="/access", status=429, body={}))
    assert await refused(easee_home, "easee_set_access", access="open") == (
        "easee_rate_limited"
    )


async def test_another_operator(
    easee_home: EaseeHome, easee_cloud: EaseeCloud, charger: Charger
) -> None:
    same = await perform(easee_home, "easee_set_operator", operator_id=1)
    assert (same["answer"], same["operator"]) == (
        "no change",
        {"id": 1, "name": "Easee"},
    )
    assert not written(easee_cloud)
    other = await perform(easee_home, "easee_set_operator", operator_id=7)
    assert other["operator"] == {"id": 7, "name": "Operator 7"}
    with pytest.raises(probatio.Invalid):
        await perform(easee_home, "easee_set_operator", operator_id=10**30)
    charger.operator = None
    assert (await perform(easee_home, "easee_set_operator", operator_id=1))["status"]
    assert charger.operator == {"id": 1, "name": "Operator 1"}


# Equalizer and site


@pytest.fixture
def equalizer(charger: Charger, easee_cloud: EaseeCloud) -> Equalizer:
    """Return the equalizer."""
    return easee_cloud.equalizers[EQUALIZER]


async def test_surplus_and_load_balancing(
    easee_home: EaseeHome, equalizer: Equalizer
) -> None:
    answer = await perform(
        easee_home, "easee_set_surplus", EQUALIZER, mode="with_import", current=8
    )
    assert (answer["mode"], answer["current"]) == ("with_import", 8)
    assert equalizer.surplus["chargingWithImport"]["maximumImportAddedCurrent"] == 8
    await perform(easee_home, "easee_set_surplus", EQUALIZER, mode="none")
    assert equalizer.surplus == {"mode": "none"}
    await perform(easee_home, "easee_set_surplus", EQUALIZER, mode="with_import")
    assert equalizer.surplus["chargingWithImport"]["maximumImportAddedCurrent"] == 8
    fields = {"mode": "only", "current": 8}
    assert await refused(easee_home, "easee_set_surplus", EQUALIZER, **fields) == (
        "easee_surplus_current"
    )
    answer = await perform(
        easee_home, "easee_set_load_balancing", EQUALIZER, current=25
    )
    assert answer["current"] == 25
    assert equalizer.config()["maxAllocatedCurrent"] == 25


async def test_cars_may_not_have_more_than_the_fuse(
    easee_home: EaseeHome, easee_cloud: EaseeCloud, equalizer: Equalizer
) -> None:
    fields = {"current": 64}
    key = await refused(easee_home, "easee_set_load_balancing", EQUALIZER, **fields)
    assert key == "easee_above_main_fuse"
    with pytest.raises(probatio.Invalid, match="whole ampere"):
        await perform(easee_home, "easee_set_load_balancing", EQUALIZER, current=16.7)
    assert not written(easee_cloud)


async def test_what_is_not_known_of_a_price_is_asked_for(
    easee_home: EaseeHome,
    easee_cloud: EaseeCloud,
    easee_entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (site,) = easee_cloud.sites.values()
    site.price = Price(currency="NOK", including_vat=0.3, vat=25)
    described = site.described
    listed = {key: one for key, one in described().items() if key not in PRICE}
    with monkeypatch.context() as patch:
        patch.setattr(site, "described", lambda: listed)
        assert await easee_home.set_up(easee_entry)
    answer = await perform(easee_home, "easee_set_price", SITE, price=2)
    assert (answer["vat"], answer["currency"]) == (25, "NOK")
    assert (site.price.vat, site.price.currency) == (25, "NOK")


@pytest.mark.parametrize("identifier", [SITE, CHARGER, EQUALIZER])
async def test_the_price_of_a_site(
    hass: HomeAssistant,
    easee_home: EaseeHome,
    charger: Charger,
    identifier: str,
) -> None:
    answer = await perform(
        easee_home, "easee_set_price", identifier, price=0.5, vat=25, currency="nok"
    )
    assert answer["currency"] == "NOK"
    price = charger.circuit.site.price
    assert (price.currency, price.including_vat, price.vat) == ("NOK", 0.5, 25)
    assert float(state(hass, "sensor", f"{SITE}_energy_price")) == 0.5
    # What is left out stays.
    await perform(easee_home, "easee_set_price", identifier, price=0.25)
    price = charger.circuit.site.price
    assert (price.currency, price.including_vat, price.vat) == ("NOK", 0.25, 25)


async def test_users_of_a_site(
    easee_home: EaseeHome, easee_cloud: EaseeCloud, charger: Charger
) -> None:
    (user,) = (await perform(easee_home, "easee_get_site_users", SITE))["users"]
    assert user["email"] == "kari@example.com"
    (user,) = (
        await perform(easee_home, "easee_get_site_users", CHARGER, usage="yearly")
    )["users"]
    assert user["usage"][0]["energy"] > 0
    charger.circuit.site.level_of_access = 3
    assert await refused(easee_home, "easee_get_site_users", SITE) == (
        "easee_owners_only"
    )


# The right device


async def test_devices_that_are_something_else(
    easee_home: EaseeHome, easee_hub: EaseeHub, charger: Charger
) -> None:
    account = easee_hub.entry.entry_id
    assert await refused(easee_home, "easee_get_schedule", EQUALIZER) == "not_a_charger"
    assert await refused(easee_home, "easee_get_schedule", SITE) == "not_a_charger"
    fields: dict[str, Any] = {"mode": "none"}
    assert await refused(easee_home, "easee_set_surplus", CHARGER, **fields) == (
        "easee_not_an_equalizer"
    )
    assert await refused(easee_home, "easee_set_price", account, price=1) == (
        "easee_no_site"
    )


async def test_a_charger_without_an_easee_account(
    hass: HomeAssistant, easee_charger: OcppCharger
) -> None:
    with pytest.raises(ServiceValidationError) as raised:
        await act(hass, "easee_get_schedule", "CP01")
    assert raised.value.translation_key == "easee_no_account"


@pytest.mark.parametrize("action", ["set_id_token", "approve_id_token"])
async def test_an_account_keeps_no_tokens(
    hass: HomeAssistant, easee_hub: EaseeHub, action: str
) -> None:
    with pytest.raises(ServiceValidationError) as raised:
        await hass.services.async_call(
            DOMAIN, action, {"id_token": "04A1B2C3"}, blocking=True
        )
    assert raised.value.translation_key == "no_server"
