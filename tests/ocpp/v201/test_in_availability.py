"""Statuses of OCPP 2.x: of connectors, EVSEs and the station (G01)."""

import pytest

from .conftest import Charger
from custom_components.ev_charger_hub.station.enums import ConnectorStatus


@pytest.mark.parametrize(
    ("statuses", "shown"),
    [
        (["Available", "Available"], ConnectorStatus.AVAILABLE),
        (["Available", "Faulted"], ConnectorStatus.AVAILABLE),
        (["Unavailable", "Faulted"], ConnectorStatus.FAULTED),
        (["Occupied", "Unavailable"], ConnectorStatus.PREPARING),
        (["Reserved", "Available"], ConnectorStatus.RESERVED),
        (["Occupied", "Reserved"], ConnectorStatus.PREPARING),
        (["Faulted", "Occupied"], ConnectorStatus.PREPARING),
    ],
)
async def test_an_evse_shows_the_most_telling_status_of_its_connectors(
    charger: Charger, statuses: list[str], shown: ConnectorStatus
) -> None:
    for connector_id, status in enumerate(statuses, 1):
        await charger.status(status, connector_id)
    evse = charger.station.evses[1]
    assert evse.status.value is shown
    assert [one.status.value for one in evse.connectors.values()] == [
        status.lower() for status in statuses
    ]
    assert (evse.fault.value is not None) is ("Faulted" in statuses)


async def test_the_station_itself_has_a_status(charger: Charger) -> None:
    await charger.status("Unavailable", 0, evse_id=0)
    assert charger.station.whole.status.value is ConnectorStatus.UNAVAILABLE
    assert charger.station.evses == {}


async def test_connector_0_means_all_connectors_of_an_evse(charger: Charger) -> None:
    await charger.status("Available", 1)
    await charger.status("Available", 2)
    await charger.status("Unavailable", 0)
    evse = charger.station.evses[1]
    assert evse.status.value is ConnectorStatus.UNAVAILABLE
    assert {one.status.value for one in evse.connectors.values()} == {
        ConnectorStatus.UNAVAILABLE
    }


async def test_an_older_status_changes_nothing(charger: Charger) -> None:
    await charger.status("Available")
    await charger.status("Faulted", timestamp=charger.clock.text(-60))
    evse = charger.station.evses[1]
    assert evse.status.value is ConnectorStatus.AVAILABLE
    assert evse.fault.value is None


async def test_a_fault_ends_with_the_last_faulted_connector(charger: Charger) -> None:
    await charger.status("Faulted", 1)
    await charger.status("Faulted", 2)
    await charger.status("Available", 1)
    assert charger.station.evses[1].fault.value is not None
    await charger.status("Available", 2)
    assert charger.station.evses[1].fault.value is None


async def test_nonsense_is_answered_and_shows_nothing(charger: Charger) -> None:
    assert await charger.status("Levitating") == {}
    assert await charger.status("Available", evse_id=1_000_000) == {}
    assert charger.station.evses == {}


async def test_a_restart_makes_older_times_news(charger: Charger) -> None:
    await charger.status("Occupied", timestamp=charger.clock.text(200))
    charger.clock.tick(60)
    await charger.boot()
    await charger.status("Unavailable", timestamp=charger.clock.text(-30))
    assert charger.station.evses[1].status.value is ConnectorStatus.UNAVAILABLE


async def test_a_vehicle_that_stays_over_a_restart_waits_for_its_session(
    charger: Charger,
) -> None:
    await charger.status("Occupied")
    charger.clock.tick(60)
    await charger.boot()
    await charger.status("Occupied")
    assert charger.shown() is ConnectorStatus.PREPARING


async def test_what_a_session_does_after_a_restart_is_unknown_until_it_is_told(
    charger: Charger,
) -> None:
    await charger.status("Occupied")
    info = {"chargingState": "Charging"}
    await charger.event("Started", "T1", 0, evse={"id": 1, "connectorId": 1}, info=info)
    assert charger.shown() is ConnectorStatus.CHARGING
    charger.clock.tick(60)
    await charger.boot()
    await charger.status("Occupied")
    assert charger.shown() is ConnectorStatus.OCCUPIED
    await charger.transactions.close_lost("T1")
    await charger.status("Occupied")
    assert charger.shown() is ConnectorStatus.PREPARING


async def test_out_of_service_is_believed_over_a_moment_of_available(
    charger: Charger,
) -> None:
    await charger.status("Unavailable")
    charger.clock.tick(60)
    await charger.boot()
    await charger.status("Available")
    assert charger.station.evses[1].status.value is ConnectorStatus.UNAVAILABLE
    charger.clock.tick(1)
    await charger.status("Unavailable")
    charger.clock.tick(10)
    assert charger.station.evses[1].status.value is ConnectorStatus.UNAVAILABLE
