"""What is logged: nothing that opens anything, and nobody's serial number."""

import asyncio
import logging

from aiohttp import ClientSession
import pytest

from .account import MemoryStore, secrets_of
from custom_components.ev_charger_hub.easee.answers import without_serials
from custom_components.ev_charger_hub.easee.api import EaseeApi
from custom_components.ev_charger_hub.easee.auth import PasswordAuthenticator, login
from custom_components.ev_charger_hub.easee.errors import EaseeError
from custom_components.ev_charger_hub.easee.requests import Lane
from simulators.easee_cloud import EaseeCloud, Fault, SimulatedTime
from simulators.easee_cloud.seed import CHARGER, EMAIL, EQUALIZER

PATHS = (
    "/api/accounts/profile",
    "/api/accounts/products",
    f"/api/chargers/{CHARGER}/details",
    f"/api/equalizers/{EQUALIZER}/config",
    f"/api/chargers/{CHARGER}/nothing",
)


@pytest.mark.conformance("EASEE_A19")
async def test_nothing_secret_is_logged_whatever_goes_wrong(
    api: EaseeApi,
    authenticator: PasswordAuthenticator,
    session: ClientSession,
    store: MemoryStore,
    cloud: EaseeCloud,
    time: SimulatedTime,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    errors: list[EaseeError] = []

    async def try_everything() -> None:
        for path in PATHS:
            reading = asyncio.create_task(api.request("GET", path, lane=Lane.AUTH))
            await time.pass_time(120)
            (result,) = await asyncio.gather(reading, return_exceptions=True)
            if isinstance(result, EaseeError):
                errors.append(result)

    await try_everything()
    cloud.tokens.revoke_access()
    await try_everything()
    cloud.tokens.revoke_sessions()
    store.error = OSError("/config/.storage/secret")
    await try_everything()
    for fault in (
        Fault(times=1, cut=True),
        Fault(times=1, status=502, body="<html>"),
        Fault(times=1, delay=60),
        Fault(times=1, status=429),
        Fault(times=1, status=403),
    ):
        cloud.faults.add(fault)
        await try_everything()
    cloud.tokens.accounts[0].password = "something else"
    cloud.tokens.revoke_sessions()
    await try_everything()
    for password in ("something else", "wrong again"):
        try:
            await login(session, time, EMAIL, password, cloud.url)
        except EaseeError as err:
            errors.append(err)
    for error in errors:
        logging.getLogger("test").warning("%r", error, exc_info=error)
    logging.getLogger("test").warning("%r %r", authenticator, api)
    # The simulator logs what is on its wires.
    text = "\n".join(
        f"{record.getMessage()} {record.exc_text}"
        for record in caplog.records
        if not record.name.startswith("simulators.")
    )
    assert f"/api/chargers/***{CHARGER[-4:]}/details: 200" in text
    assert len(errors) > 10
    secrets = {*secrets_of(cloud), "wrong again", "correct horse", EMAIL, ".storage"}
    assert not [secret for secret in secrets if secret in text]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/api/chargers/EH123456/config", "/api/chargers/***3456/config"),
        ("/api/chargers/EH8KWDB8", "/api/chargers/***WDB8"),
        ("/state/QPABCDEF/observations", "/state/***CDEF/observations"),
        (
            "/api/commands/EH123456/48/63857536519",
            "/api/commands/***3456/48/63857536519",
        ),
        ("/api/sites/1/circuits/11/settings", "/api/sites/1/circuits/11/settings"),
    ],
)
def test_paths_are_shown_without_serials(path: str, shown: str) -> None:
    assert without_serials(path) == shown
