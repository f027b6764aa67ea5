"""Secrets that stay secret, and clocks that nobody set."""

from datetime import UTC, datetime, timedelta
import json
import logging
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir

from ..ha.charger import sampled
from ..ha.conftest import ChargerFactory
from ..ha.entities import act, flush, state
from .answers import sessions
from .wire import Wire
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.ocpp.credentials import hash_password

SECRETS = {
    "identity": "GARAGE-LEFT-0815-4711",
    "password": "correct-horse-battery-staple",
    "authorization key": "b16b00b5cafebabe0123456789abcdef",
    "token": "04A1B2C3D4E5F6",
    "parent token": "FAMILY-0815-4711",
    "serial": "SN-2026-000-4711",
    "box serial": "BOX-2026-000-4711",
    "meter serial": "METER-2026-4711",
    "iccid": "89490200001234567890",
    "imsi": "262011234567890",
    "wifi password": "wlan-password-0815",
    "upload user": "uploader-0815",
    "upload password": "upload-secret-0815",
    "private key": "MC4CAQAwBQYDK2VwBCIEIFakeFakeFakeFake",
    "signed data": "OCMF|signed-by-04A1B2C3D4E5F6",
}
PRIVATE_KEY = (
    "-----BEGIN PRIVATE KEY-----\n"
    f"{SECRETS['private key']}\n"
    "-----END PRIVATE KEY-----\n"
)

ODD_TIMES = [
    "222222017-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-14:00",
    "1970-01-01T00:00:00Z",
    "2026-11-20T24:00:00Z",
    "2026-11-20T10:00:00",
    "2026-11-20T10:00:00+99:99",
    "2026-11-20T10:00:00.123456789Z",
    "2026-11-20 10:00:00",
    "2026-02-30T10:00:00Z",
    "2025-1-3T1:2:3Z",
    "20261120T100000Z",
    "2026-W47-5T10:00:00Z",
    "10:00:00",
    "1763632800",
    "Z",
    " ",
    "\u0660\u0661",
    "x" * 5000,
]


@pytest.mark.conformance("SEC_09")
async def test_no_secret_is_logged_or_in_diagnostics_issues_and_reprs(
    hass: HomeAssistant,
    hub: OcppHub,
    init_integration: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    charger_ws: ChargerFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger=f"custom_components.{DOMAIN}")
    identity, token = SECRETS["identity"], SECRETS["token"]
    hashed = await hass.async_add_executor_job(hash_password, SECRETS["password"])
    hub.approve(identity, "Garage", hashed)
    await hass.async_block_till_done()
    charger = await charger_ws(identity, password=SECRETS["password"])
    charger.configuration |= {
        "AuthorizationKey": SECRETS["authorization key"],
        "WifiPassword": SECRETS["wifi password"],
    }
    await charger.boot(
        chargePointSerialNumber=SECRETS["serial"],
        chargeBoxSerialNumber=SECRETS["box serial"],
        meterSerialNumber=SECRETS["meter serial"],
        iccid=SECRETS["iccid"],
        imsi=SECRETS["imsi"],
    )
    await charger.status(1, "Available")
    await hass.async_block_till_done()
    await act(hass, "get_configuration", identity)
    await act(
        hass,
        "set_configuration",
        identity,
        key="AuthorizationKey",
        value=SECRETS["authorization key"],
    )
    upload = f"ftp://{SECRETS['upload user']}:{SECRETS['upload password']}@host/path"
    await act(
        hass,
        "call",
        identity,
        action="GetDiagnostics",
        payload={"location": upload},
    )
    await charger.call("Authorize", {"idTag": token})
    await charger.call("DataTransfer", {"vendorId": "acme", "data": PRIVATE_KEY})
    session = await charger.start(id_tag=token)
    signed = {"value": SECRETS["signed data"], "format": "SignedData"}
    register = sampled(1500, "Energy.Active.Import.Register", "Wh")
    await charger.meter(1, [register, signed], session)
    await charger.status(1, "Faulted", "InternalError", info=f"tag {session}")
    await charger.stop(session, 2000, idTag=token)
    await charger.send_raw(f'[2,"1","Authorize",{{"idTag":"{token}"')
    await charger.send_raw(f'[2,"2","Authorize",{{"idTag":["{token}"]}}]')
    await charger.call("Heartbeat")
    await hass.async_block_till_done()

    found: Any = await get_diagnostics_for_config_entry(
        hass, hass_client, init_integration
    )
    assert found["chargers"][0]["frames"]
    ours = (one for one in caplog.records if one.name.startswith("custom_components"))
    formatter = logging.Formatter()
    issues = [
        one.to_json()
        for one in ir.async_get(hass).issues.values()
        if one.domain == DOMAIN
    ]
    places = {
        "log": "\n".join(formatter.format(one) for one in ours),
        "diagnostics": json.dumps(found),
        "issues": json.dumps(issues, default=str),
        "reprs": repr([*hub.stations.values()]),
    }
    assert "StartTransaction" in places["log"]
    assert [
        (place, name)
        for place, text in places.items()
        for name, secret in SECRETS.items()
        if secret in text
    ] == []


@pytest.mark.conformance("SEC_10")
@pytest.mark.parametrize("claimed", ODD_TIMES, ids=lambda text: repr(text)[:24])
async def test_no_time_that_a_charger_claims_breaks_anything(
    hass: HomeAssistant, wire: Wire, claimed: str
) -> None:
    status = {"connectorId": 1, "errorCode": "NoError", "status": "Charging"}
    answer = await wire.call("StatusNotification", status | {"timestamp": claimed})
    assert answer[2:] == [{}]
    answer = await wire.call(
        "StartTransaction",
        {"connectorId": 1, "idTag": "TAG1", "meterStart": 0, "timestamp": claimed},
    )
    transaction_id = answer[2]["transactionId"]
    assert transaction_id > 0
    samples = [sampled(2000, "Energy.Active.Import.Register", "Wh")]
    meter = {
        "connectorId": 1,
        "transactionId": transaction_id,
        "meterValue": [{"timestamp": claimed, "sampledValue": samples}],
    }
    assert (await wire.call("MeterValues", meter))[2:] == [{}]
    stop = {"transactionId": transaction_id, "meterStop": 2500, "timestamp": claimed}
    assert (await wire.call("StopTransaction", stop))[2:] == [{}]
    await flush(hass)
    (session,) = await sessions(hass)
    assert session["energy"] == 2500
    # Whatever it claims, it is not in the future, nor before there were chargers.
    limit = datetime.now(UTC) + timedelta(days=1)
    for moment in (session["start"], session["stop"]):
        assert datetime(2000, 1, 1, tzinfo=UTC) < datetime.fromisoformat(moment) < limit
    assert state(hass, "sensor", "CP01_1_status") in {"charging", "available"}
