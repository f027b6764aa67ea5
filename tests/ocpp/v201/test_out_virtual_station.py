"""Commands and set-up of OCPP 2.x against the virtual station, over a real socket."""

from collections.abc import AsyncGenerator, Coroutine
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, cast, override

import pytest

from custom_components.ev_charger_hub.ocpp.adapter import Registration
from custom_components.ev_charger_hub.ocpp.dialect import Dialect
from custom_components.ev_charger_hub.ocpp.server import CentralSystem
from custom_components.ev_charger_hub.ocpp.tasks import Tasks
from custom_components.ev_charger_hub.ocpp.v201.adapter import V201Adapter
from custom_components.ev_charger_hub.station import limits
from custom_components.ev_charger_hub.station.authorization import Bearer, Verdict
from custom_components.ev_charger_hub.station.enums import AuthorizationStatus
from custom_components.ev_charger_hub.station.journal import Journal
from custom_components.ev_charger_hub.station.limiter.limiter import Limiter
from custom_components.ev_charger_hub.station.link import Limit, Link
from custom_components.ev_charger_hub.station.model import ChargingStation
from custom_components.ev_charger_hub.station.outcome import OutcomeStatus
from custom_components.ev_charger_hub.station.profiles.ledger import Ledger
from custom_components.ev_charger_hub.station.profiles.model import (
    ProfileCriteria,
    Purpose,
)
from custom_components.ev_charger_hub.station.settings import StationSettings
from custom_components.ev_charger_hub.station.transactions import Transactions
from simulators.charging_station.v2 import ChargingStation as VirtualStation
from tests.ocpp.central import HOST, StubRegistrar, until

IDENTITY = "CP2"
ADAPTERS = {Dialect.V201: V201Adapter, Dialect.V21: V201Adapter}


class Everybody:
    """Lets everybody charge."""

    def authorize(
        self, identity: str, id_token: str, evse_id: int | None = None
    ) -> Verdict:
        """Return that a token may charge."""
        return Verdict(status=AuthorizationStatus.ACCEPTED)

    def bearer(self, identity: str, id_token: str) -> Bearer:
        """Return that nobody is known."""
        return Bearer()


class OneStation(StubRegistrar):
    """A hub of one station."""

    def __init__(self, transactions: Transactions, journal: Journal) -> None:
        """Approve the station."""
        super().__init__()
        self._parts = transactions, journal

    @override
    def context(self, identity: str) -> Registration:
        transactions, journal = self._parts
        return Registration(
            station=self.stations[identity],
            transactions=transactions,
            journal=journal,
            authorizer=Everybody(),
        )


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def _spawn(tasks: Tasks, work: Coroutine[Any, Any, Any], name: str) -> Any:
    return tasks.spawn(work, name)


@pytest.fixture(params=["2.0.1", "2.1"])
async def station(
    request: pytest.FixtureRequest, tmp_path: Path, socket_enabled: None
) -> AsyncGenerator[ChargingStation]:
    """Return the model of a virtual station of two EVSEs that was set up."""
    journal = await Journal.open(tmp_path / "journal.db")
    station, tasks = ChargingStation(IDENTITY, StationSettings(name="CP")), Tasks()
    transactions = Transactions(station, journal, now)
    ledger = Ledger(station, journal)
    limiter = Limiter(
        station, journal, now, ledger=ledger, spawn=cast(Any, partial(_spawn, tasks))
    )
    await transactions.load()
    registrar = OneStation(transactions, journal)
    registrar.stations[IDENTITY] = station
    system = CentralSystem(
        host=HOST,
        port=0,
        contexts=None,
        registrar=registrar,
        clock=now,
        adapters=ADAPTERS,
    )
    await system.start()
    virtual = VirtualStation(
        f"ws://{HOST}:{system.port}", IDENTITY, evses=(1, 2), versions=[request.param]
    )
    await virtual.connect()
    await until(lambda: "local_list" in station.findings)
    assert station.version.value == request.param
    yield station
    limiter.close()
    await virtual.close()
    await system.stop()
    await tasks.cancel()
    await journal.close()


@pytest.fixture
def link(station: ChargingStation) -> Link:
    """Return the link to the virtual station."""
    [link] = station.links
    return link


def test_set_up_learns_all_variables_evses_and_connectors(
    station: ChargingStation,
) -> None:
    findings = station.findings
    assert findings["configuration"].startswith("ok: ")
    assert {key: sorted(one.connector_ids) for key, one in station.evses.items()} == {
        1: [1],
        2: [1, 2],
    }
    assert findings["measurands"] == "ok: 20 of 20"
    assert findings["intervals"] == "ok"
    assert findings["limits"] == "ok"


async def test_variables_are_read_and_written(link: Link) -> None:
    outcome, found, _ = await link.get_configuration([])
    assert outcome.ok
    assert len(found) > 250
    key = "SampledDataCtrlr.TxUpdatedInterval"
    assert (await link.set_configuration(key, "20")).ok
    _, found, unknown = await link.get_configuration([key, "EVSE#2.Nothing"])
    assert [(one.key, one.value) for one in found] == [(key, "20")]
    assert unknown == ["EVSE#2.Nothing"]


async def test_a_limit_holds_and_is_listed(
    station: ChargingStation, link: Link
) -> None:
    for evse_id, value in ((1, 10), (0, 20)):
        outcome = await limits.request(station, evse_id, Limit(value=Decimal(value)))
        assert outcome.status is OutcomeStatus.CONFIRMED
    _, held = await link.get_profiles(ProfileCriteria())
    assert {(one.evse_id, one.profile.purpose) for one in held} == {
        (0, Purpose.STATION_MAX),
        (1, Purpose.TX_DEFAULT),
    }
    assert (await link.clear_profiles(ProfileCriteria())).ok
    outcome, held = await link.get_profiles(ProfileCriteria())
    assert (outcome.ok, held) == (True, [])


async def test_the_station_does_what_it_is_asked_for(link: Link) -> None:
    outcomes = [
        await link.trigger("Heartbeat", None),
        await link.trigger("StatusNotification", 2),
        await link.unlock(1, 1),
        await link.clear_cache(),
        await link.change_availability(2, operative=False),
        await link.change_availability(2, operative=True),
        (await link.local_list_version())[0],
        await link.start_charging(1, "04A1B2C3"),
    ]
    assert [one.status for one in outcomes] == [OutcomeStatus.ACCEPTED] * 8
    again = await link.trigger("BootNotification", None)
    assert again.status is OutcomeStatus.REJECTED
