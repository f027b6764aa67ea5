"""Test what of chargers and cards the log tells: enough to know them, no more."""

import logging

from aiohttp import WSServerHandshakeError
import pytest

from homeassistant.core import HomeAssistant

from .charger import Charger, Refusal, sampled
from .conftest import ChargerFactory
from custom_components.ev_charger_hub.const import DOMAIN
from custom_components.ev_charger_hub.hub import OcppHub
from custom_components.ev_charger_hub.station.errors import JournalError

LOGGER = f"custom_components.{DOMAIN}"
IDENTITY = "GARAGE-LEFT-4711"
UNKNOWN = "STRANGER-0815"
TOKEN = "04A1B2C3D4E5F6"
ANOTHER_TOKEN = "07F1E2D3C4B5A6"


@pytest.fixture
async def charger(
    hass: HomeAssistant,
    hub: OcppHub,
    charger_ws: ChargerFactory,
    caplog: pytest.LogCaptureFixture,
) -> Charger:
    """Return a booted charger, with everything of ours logged from now on."""
    caplog.set_level(logging.DEBUG, logger=LOGGER)
    hub.approve(IDENTITY, "Garage", None)
    await hass.async_block_till_done()
    charger = await charger_ws(IDENTITY)
    await charger.boot()
    await charger.status(1, "Available")
    await hass.async_block_till_done()
    return charger


def _logged(caplog: pytest.LogCaptureFixture) -> str:
    """Return what we logged, with tracebacks."""
    formatter = logging.Formatter()
    records = (one for one in caplog.records if one.name.startswith(LOGGER))
    return "\n".join(formatter.format(one) for one in records)


async def test_a_session_shows_only_the_ends_of_identity_and_token(
    hass: HomeAssistant,
    charger: Charger,
    charger_ws: ChargerFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await charger.call("Authorize", {"idTag": TOKEN})
    transaction_id = await charger.start(id_tag=TOKEN)
    await charger.status(1, "Sleeping")
    await charger.stop(transaction_id, 2000, idTag=ANOTHER_TOKEN)
    newer = await charger_ws(IDENTITY)
    await newer.call("Heartbeat")
    await charger.closed()
    await newer.close()
    await hass.async_block_till_done()

    text = _logged(caplog)
    for secret in (IDENTITY, TOKEN, ANOTHER_TOKEN):
        assert secret not in text
        assert f"***{secret[-4:]}" in text


async def test_an_adopted_transaction_is_logged_without_identity(
    hub: OcppHub, charger: Charger, caplog: pytest.LogCaptureFixture
) -> None:
    await charger.status(1, "Charging")
    register = sampled(500, "Energy.Active.Import.Register", "Wh")
    await charger.meter(1, [register], 4242)
    await hub.stations[IDENTITY].transactions.sessions()
    text = _logged(caplog)
    assert "***4711: adopted the running transaction 4242" in text
    assert IDENTITY not in text


async def test_what_the_journal_refuses_is_logged_without_identity_and_token(
    hub: OcppHub,
    charger: Charger,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise JournalError("disk full")

    await charger.status(1, "Charging")
    monkeypatch.setattr(hub.journal, "insert", refuse)
    with pytest.raises(Refusal):
        await charger.start(id_tag=TOKEN)
    register = sampled(500, "Energy.Active.Import.Register", "Wh")
    await charger.meter(1, [register], 4242)
    await hub.stations[IDENTITY].transactions.sessions()
    text = _logged(caplog)
    assert "***4711: transaction not recorded" in text
    assert text.count("disk full") >= 2
    assert IDENTITY not in text
    assert TOKEN not in text


async def test_who_is_turned_away_is_logged_by_the_end_of_the_identity(
    hub: OcppHub,
    charger: Charger,
    charger_ws: ChargerFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await charger_ws(UNKNOWN)
    await hub.admission.async_refuse(UNKNOWN)
    with pytest.raises(WSServerHandshakeError, match="404"):
        await charger_ws(UNKNOWN)
    text = _logged(caplog)
    assert "***0815" in text
    assert UNKNOWN not in text
