"""Details: who runs a charger, who may charge there, and its newest firmware."""

import pytest

from .listener import Listener
from custom_components.ev_charger_hub.easee.api import EaseeApi
from custom_components.ev_charger_hub.easee.details import Operator, operator_of
from custom_components.ev_charger_hub.easee.enums import AccessLevel
from custom_components.ev_charger_hub.easee.errors import Forbidden, NotFound
from custom_components.ev_charger_hub.easee.firmware import latest_firmware
from custom_components.ev_charger_hub.easee.ownership import (
    operator_name,
    set_access,
    set_operator,
)
from custom_components.ev_charger_hub.station.outcome import OutcomeStatus
from simulators.easee_cloud import Charger, EaseeCloud, Fault
from simulators.easee_cloud.seed import CHARGER, EQUALIZER


async def test_who_runs_a_charger_may_change(
    listener: Listener, api: EaseeApi, charger: Charger
) -> None:
    assert await operator_of(api, CHARGER) == Operator(id=1, name="Easee")
    outcome = await listener.outcome(set_operator(listener.commands, CHARGER, 12))
    assert outcome.status is OutcomeStatus.CONFIRMED
    assert await operator_name(api, CHARGER) == "Operator 12"
    outcome = await listener.outcome(set_operator(listener.commands, CHARGER, 12))
    assert outcome.status is OutcomeStatus.REJECTED
    assert outcome.answer == "Charger already has this operator"
    charger.operator = None
    with pytest.raises(NotFound):
        await operator_of(api, CHARGER)


async def test_who_may_charge_is_said(listener: Listener, charger: Charger) -> None:
    outcome = await listener.outcome(
        set_access(listener.commands, CHARGER, AccessLevel.WHITELIST)
    )
    assert outcome.status is OutcomeStatus.CONFIRMED
    assert charger.access == 3


async def test_the_newest_firmware_is_told_for_each_product(
    api: EaseeApi, charger: Charger, cloud: EaseeCloud
) -> None:
    charger.latest_firmware = 350
    assert await latest_firmware(api, CHARGER) == 350
    assert await latest_firmware(api, EQUALIZER) == 220
    cloud.faults.add(Fault(pattern="/firmware/", status=200, body={"other": 1}))
    assert await latest_firmware(api, CHARGER) is None


async def test_some_may_not_know_the_newest_firmware(
    api: EaseeApi, cloud: EaseeCloud
) -> None:
    cloud.faults.add(Fault(pattern="/firmware/", status=401, times=2))
    with pytest.raises(Forbidden):
        await latest_firmware(api, CHARGER)
    assert len(cloud.journal.find("GET", "/firmware/")) == 2
    cloud.faults.add(Fault(pattern="/firmware/", status=404))
    with pytest.raises(NotFound):
        await latest_firmware(api, CHARGER)


async def test_the_newest_firmware_is_installed_by_a_command(
    listener: Listener, charger: Charger
) -> None:
    charger.latest_firmware = 350
    outcome = await listener.outcome(
        listener.commands.command(CHARGER, "update_firmware")
    )
    assert outcome.status is OutcomeStatus.CONFIRMED
    await listener.time.pass_time(200)
    assert charger[80] == 350
