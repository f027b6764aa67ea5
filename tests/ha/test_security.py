"""Security of chargers: events, passwords, profiles and certificates, end to end."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

from aiohttp import ClientError, WSServerHandshakeError
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component

from ..ocpp.certificates import ec_key, signing_request
from .charger import ACCEPTED, Payload, Refusal
from .conftest import Settle
from .planted import plant
from .secured import (
    IDENTITY,
    PASSWORD,
    REJECTED,
    ROOT,
    SecuredCharger,
    act,
    encrypting_entry,
    hash_data,
    raise_profile,
    secured_charger,
)
from custom_components.ev_charger_hub.const import CONF_TLS, DOMAIN
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.snapshots import SNAPSHOT_DELAY
from custom_components.ev_charger_hub.station.clock import utc_now


@pytest.fixture
def server_entry() -> MockConfigEntry:
    """Return the entry of a server that encrypts, with an authority of its own."""
    return encrypting_entry()


@pytest.fixture
async def charger(
    hass: HomeAssistant, hub: OcppHub, tmp_path: Path
) -> AsyncGenerator[SecuredCharger]:
    """Return a charger with a password, which is connected without encryption."""
    async with secured_charger(hass, hub, tmp_path) as charger:
        yield charger


def state(hass: HomeAssistant, entity: str) -> str | None:
    """Return the state of an entity of the charger."""
    found = hass.states.get(entity)
    return None if found is None else found.state


async def test_charger_goes_from_a_password_to_a_certificate(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger
) -> None:
    assert state(hass, "sensor.garage_security_profile") == "profile_1"
    await raise_profile(hass, init_integration, charger, 3)
    await charger.until(lambda: charger.redials == 2)
    assert state(hass, "sensor.garage_security_profile") == "profile_3"
    await charger.until(lambda: state(hass, "sensor.garage_security_upgrade") == "done")
    assert state(hass, "sensor.garage_certificate_ends") is not None
    subentry = next(iter(init_integration.subentries.values()))
    assert subentry.data["security_profile"] == 3
    for lower in (0, 1, 2):
        with pytest.raises(ClientError):
            await charger.redial(lower)
    await charger.redial()


async def test_certificate_is_renewed_and_the_old_one_is_good_until_its_end(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger
) -> None:
    await raise_profile(hass, init_integration, charger, 3)
    old = charger.key, charger.chain
    assert (await act(hass, init_integration, "renew_certificate"))[
        "status"
    ] == "accepted"
    await charger.until(lambda: charger.chain != old[1])
    await charger.redial()
    charger.key, charger.chain = old
    await charger.redial()


async def test_charger_without_a_password_gets_one(
    hass: HomeAssistant, hub: OcppHub, init_integration: MockConfigEntry, tmp_path: Path
) -> None:
    async with secured_charger(hass, hub, tmp_path, password=None) as charger:
        assert state(hass, "sensor.garage_security_profile") == "profile_0"
        await raise_profile(hass, init_integration, charger, 2)
        assert charger.password is not None
        for lower in (0, 1):
            with pytest.raises(WSServerHandshakeError):
                await charger.redial(lower)
        await charger.redial()


async def test_both_passwords_are_good_until_the_new_one_was_used(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger
) -> None:
    answer = await act(hass, init_integration, "rotate_password")
    assert answer["status"] == "accepted"
    new = charger.password
    assert new not in (None, PASSWORD)
    charger.password = PASSWORD
    await charger.redial()
    charger.password = new
    await charger.redial()
    security = init_integration.runtime_data.stations[IDENTITY].security
    await charger.until(lambda: not security.hashes)
    charger.password = PASSWORD
    with pytest.raises(WSServerHandshakeError):
        await charger.redial()
    charger.password = new
    await charger.redial()


@pytest.mark.parametrize(
    "answer", [dict(REJECTED), {"status": "NotSupported"}, Refusal(code="GenericError")]
)
async def test_password_that_the_charger_refuses_changes_nothing(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger: SecuredCharger,
    answer: Payload | Refusal,
) -> None:
    charger.answers["ChangeConfiguration"] = answer
    with pytest.raises(HomeAssistantError):
        await act(hass, init_integration, "rotate_password")
    await charger.redial()


async def test_passwords_and_floor_survive_a_reload(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger: SecuredCharger,
) -> None:
    await act(hass, init_integration, "rotate_password")
    await hass.config_entries.async_reload(init_integration.entry_id)
    charger.host = f"127.0.0.1:{init_integration.runtime_data.port}"
    charger.password, new = PASSWORD, charger.password
    await charger.redial()
    charger.password = new
    await charger.redial()
    await raise_profile(hass, init_integration, charger, 2)


async def test_refusal_of_the_root_ends_the_way_and_is_told(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger
) -> None:
    charger.answers["InstallCertificate"] = dict(REJECTED)
    await act(hass, init_integration, "set_security_profile", profile=2)
    await charger.until(
        lambda: state(hass, "sensor.garage_security_upgrade") == "failed"
    )
    assert not charger.calls("Reset")
    issues = ir.async_get(hass).issues
    (issue,) = [one for one in issues.values() if one.domain == DOMAIN]
    assert issue.translation_key == "upgrade_root_refused"
    answer = await act(hass, init_integration, "set_security_profile", profile=1)
    assert answer == {"profile": 1, "target": 1, "step": None}
    assert not [one for one in issues.values() if one.domain == DOMAIN]
    await charger.redial()


async def test_profile_is_not_lowered(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger
) -> None:
    await raise_profile(hass, init_integration, charger, 2)
    with pytest.raises(ServiceValidationError) as err:
        await act(hass, init_integration, "set_security_profile", profile=1)
    assert err.value.translation_key == "security_profile_lower"


async def test_certificates_are_installed_listed_and_deleted(
    hass: HomeAssistant,
    hub: OcppHub,
    init_integration: MockConfigEntry,
    charger: SecuredCharger,
) -> None:
    answer = await act(hass, init_integration, "get_installed_certificates")
    assert answer == {"certificates": []}
    answer = await act(hass, init_integration, "install_certificate")
    assert answer["status"] == "confirmed"
    assert hub.authority is not None
    assert charger.roots[ROOT] == [hub.authority.root_pem]
    answer = await act(
        hass,
        init_integration,
        "install_certificate",
        use="manufacturer_root",
        certificate=f"My root\n{hub.authority.root_pem}",
    )
    assert answer["status"] == "confirmed"
    found = (await act(hass, init_integration, "get_installed_certificates"))[
        "certificates"
    ]
    assert [one["use"] for one in found] == ["central_system_root", "manufacturer_root"]
    assert all(one["ours"] for one in found)
    named = hash_data(hub.authority.root_pem)
    wanted = {
        "algorithm": named["hashAlgorithm"],
        "issuer_key_hash": named["issuerKeyHash"],
        "issuer_name_hash": named["issuerNameHash"],
        "serial": named["serialNumber"],
    }
    assert {key: found[0][key] for key in wanted} == wanted
    answer = await act(hass, init_integration, "delete_certificate", **wanted)
    assert answer["answer"] == "Accepted"
    assert charger.roots[ROOT] == []


async def test_root_by_which_the_charger_knows_us_is_not_deleted(
    hass: HomeAssistant,
    hub: OcppHub,
    init_integration: MockConfigEntry,
    charger: SecuredCharger,
) -> None:
    await raise_profile(hass, init_integration, charger, 2)
    assert hub.authority is not None
    named = hash_data(hub.authority.root_pem)
    with pytest.raises(ServiceValidationError) as err:
        await act(
            hass,
            init_integration,
            "delete_certificate",
            algorithm=named["hashAlgorithm"],
            issuer_key_hash=named["issuerKeyHash"],
            issuer_name_hash=named["issuerNameHash"],
            serial=named["serialNumber"],
        )
    assert err.value.translation_key == "certificate_in_use"
    assert not charger.calls("DeleteCertificate")


@pytest.mark.parametrize("text", ["no certificate", "-----BEGIN PRIVATE KEY-----"])
async def test_text_that_is_no_certificate_is_not_sent(
    hass: HomeAssistant,
    init_integration: MockConfigEntry,
    charger: SecuredCharger,
    text: str,
) -> None:
    with pytest.raises(ServiceValidationError) as err:
        await act(hass, init_integration, "install_certificate", certificate=text)
    assert err.value.translation_key == "certificate_unreadable"
    with pytest.raises(ServiceValidationError) as err:
        await act(
            hass, init_integration, "install_certificate", use="manufacturer_root"
        )
    assert err.value.translation_key == "certificate_missing"
    assert not charger.calls("InstallCertificate")


async def test_charger_that_does_not_answer_keeps_both_passwords(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger
) -> None:
    charger.drops_at.add("AuthorizationKey")
    with pytest.raises(HomeAssistantError) as err:
        await act(hass, init_integration, "rotate_password")
    assert err.value.translation_key == "no_answer"
    told = charger.calls("ChangeConfiguration")[-1]["value"]
    await charger.redial()
    charger.password = bytes.fromhex(told).decode()
    plant(charger.password)
    await charger.redial()


async def test_request_for_the_name_of_another_charger_is_refused(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger
) -> None:
    await raise_profile(hass, init_integration, charger, 2)
    assert await charger.ask_for_certificate("CP02") == {"status": "Rejected"}
    assert await charger.ask_for_certificate("SN-0001-4711") == {"status": "Accepted"}
    await charger.expect("CertificateSigned")


async def test_request_in_the_clear_is_refused(charger: SecuredCharger) -> None:
    assert await charger.ask_for_certificate() == {"status": "Rejected"}
    csr = signing_request(ec_key(), IDENTITY)
    assert await charger.call("SignCertificate", {"csr": csr}) == {"status": "Rejected"}
    await charger.call("Heartbeat")
    assert not charger.calls("CertificateSigned")


async def test_security_event_is_an_event_and_an_issue_if_it_is_no_routine(
    hass: HomeAssistant, charger: SecuredCharger, settle: Settle
) -> None:
    await charger.security_event("StartupOfTheDevice")
    await settle()
    event = hass.states.get("event.garage_security_event")
    assert event is not None
    assert event.attributes["event_type"] == "startup_of_the_device"
    assert event.attributes["critical"] is True
    issues = ir.async_get(hass).issues
    assert not [one for one in issues.values() if one.domain == DOMAIN]

    await charger.security_event("TamperDetectionActivated", "`door` [x](http://y)")
    await settle()
    event = hass.states.get("event.garage_security_event")
    assert event is not None
    assert event.attributes["event_type"] == "tamper_detection_activated"
    assert event.attributes["at"] == "2026-11-20T10:00:00+00:00"
    (issue,) = [one for one in issues.values() if one.domain == DOMAIN]
    assert issue.translation_key == "security_event"
    assert issue.is_persistent
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["info"] == "door [x](http://y)"

    await charger.security_event("AcmeDoorOpened")
    await settle()
    event = hass.states.get("event.garage_security_event")
    assert event is not None
    assert event.attributes["event_type"] == "other"
    assert event.attributes["event"] == "AcmeDoorOpened"


async def test_events_of_a_deleted_charger_are_forgotten(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger
) -> None:
    await charger.security_event("TamperDetectionActivated")
    await hass.async_block_till_done()
    (subentry_id,) = init_integration.subentries
    hass.config_entries.async_remove_subentry(init_integration, subentry_id)
    await hass.async_block_till_done()
    issues = ir.async_get(hass).issues
    assert not [one for one in issues.values() if one.domain == DOMAIN]


async def test_certificate_that_ends_soon_is_told(
    hass: HomeAssistant,
    hub: OcppHub,
    init_integration: MockConfigEntry,
    charger: SecuredCharger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await raise_profile(hass, init_integration, charger, 3)
    hass.config_entries.async_update_subentry(
        init_integration, next(iter(init_integration.subentries.values())), title="Car"
    )
    later = utc_now() + timedelta(days=720)
    monkeypatch.setattr(
        "custom_components.ev_charger_hub.security_issues.utc_now", lambda: later
    )
    issues = ir.async_get(hass).issues
    async_fire_time_changed(hass, utc_now() + SNAPSHOT_DELAY * 2)
    await hass.async_block_till_done()
    (issue,) = [one for one in issues.values() if one.domain == DOMAIN]
    assert issue.translation_key == "charger_certificate_ends"
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["name"] == "Car"


async def test_charger_that_would_not_know_the_server_stays_where_it_is(
    hass: HomeAssistant,
    hub: OcppHub,
    init_integration: MockConfigEntry,
    charger: SecuredCharger,
) -> None:
    charger.host = f"localhost:{hub.port}"
    await charger.redial()
    with pytest.raises(ServiceValidationError) as err:
        await act(hass, init_integration, "set_security_profile", profile=3)
    assert err.value.translation_key == "name_not_certified"
    assert not charger.calls("InstallCertificate")
    charger.host = f"127.0.0.1:{hub.port}"
    await charger.redial()
    await raise_profile(hass, init_integration, charger, 2)


@pytest.mark.parametrize(("choice", "floor"), [("hold", 2), ("leave", 0)])
async def test_user_is_asked_whether_a_charger_is_held_to_encryption(
    hass: HomeAssistant,
    hub: OcppHub,
    init_integration: MockConfigEntry,
    charger: SecuredCharger,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
    choice: str,
    floor: int,
) -> None:
    assert await async_setup_component(hass, "repairs", {})
    charger.trusts_nobody = False
    await charger.redial(2)
    station = hub.stations[IDENTITY]
    await charger.until(lambda: station.security.profile.value == 2)
    await hass.async_block_till_done()
    later = utc_now() + timedelta(days=2)
    monkeypatch.setattr(station.security, "_clock", lambda: later)
    # What was seen is on disk before it counts.
    await charger.until(lambda: station.security.unpinned == 2)
    # Frames of one second are one sign of life.
    station.station.heartbeat.notify()
    async_fire_time_changed(hass, utc_now() + SNAPSHOT_DELAY * 2)
    await hass.async_block_till_done()
    issues = ir.async_get(hass).issues
    (issue,) = [one for one in issues.values() if one.domain == DOMAIN]
    assert issue.translation_key == "profile_not_held"
    client = await hass_client()
    url = "/api/repairs/issues/fix"
    answer = await client.post(
        url, json={"handler": DOMAIN, "issue_id": issue.issue_id}
    )
    flow = await answer.json()
    assert flow["description_placeholders"] == {"name": "Garage", "profile": "2"}
    assert station.station.settings.security_profile == 0
    path = f"{url}/{flow['flow_id']}"
    answer = await client.post(path, json={"next_step_id": choice})
    assert (await answer.json())["type"] == "create_entry"
    await hass.async_block_till_done()
    assert station.security.unpinned is None
    assert station.station.settings.security_profile == floor
    await charger.redial(2)
    async_fire_time_changed(hass, utc_now() + SNAPSHOT_DELAY * 4)
    await hass.async_block_till_done()
    assert not [one for one in issues.values() if one.domain == DOMAIN]
    if choice == "hold":
        with pytest.raises(WSServerHandshakeError):
            await charger.redial(1)
    else:
        await charger.redial(1)


async def test_certificate_in_use_is_shown(
    hass: HomeAssistant,
    hub: OcppHub,
    init_integration: MockConfigEntry,
    charger: SecuredCharger,
) -> None:
    await raise_profile(hass, init_integration, charger, 3)
    await charger.until(lambda: charger.redials == 2)
    old = charger.key, charger.chain
    security = hub.stations[IDENTITY].security
    first = security.certificate.value
    await act(hass, init_integration, "renew_certificate")
    await charger.until(lambda: security.certificate.value != first)
    charger.key, charger.chain = old
    await charger.redial()
    await charger.until(lambda: security.certificate.value == first)


async def test_server_goes_on_encrypting_for_a_charger_that_was_told_so(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger
) -> None:
    charger.answers["Reset"] = dict(ACCEPTED)
    await act(hass, init_integration, "set_security_profile", profile=2)
    await charger.until(lambda: bool(charger.calls("Reset")))
    flow = await init_integration.start_reconfigure_flow(hass)
    result = await hass.config_entries.flow.async_configure(
        flow["flow_id"],
        {
            CONF_HOST: "127.0.0.1",
            CONF_PORT: init_integration.runtime_data.port,
            "policy": "ask",
            "tls": {CONF_TLS: "none", "accept_plain": True},
        },
    )
    assert result["errors"] == {"base": "tls_still_needed"}


async def test_certificate_is_not_renewed_without_encryption(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger
) -> None:
    with pytest.raises(ServiceValidationError) as err:
        await act(hass, init_integration, "renew_certificate")
    assert err.value.translation_key == "certificate_needs_encryption"
    assert not charger.calls("ExtendedTriggerMessage")


async def test_what_is_wrong_with_a_charger_that_is_away_is_told_after_a_restart(
    hass: HomeAssistant, init_integration: MockConfigEntry, charger: SecuredCharger
) -> None:
    charger.answers["InstallCertificate"] = dict(REJECTED)
    await act(hass, init_integration, "set_security_profile", profile=2)
    security = init_integration.runtime_data.stations[IDENTITY].security
    await charger.until(lambda: security.upgrade.value.failure is not None)
    await charger.hang_up()
    await hass.config_entries.async_reload(init_integration.entry_id)
    await hass.async_block_till_done()
    issues = ir.async_get(hass).issues
    (issue,) = [one for one in issues.values() if one.domain == DOMAIN]
    assert issue.translation_key == "upgrade_root_refused"
