"""Limits over OCPP 1.6: the fall-back, phases, and Easee's ways, as frames."""

from dataclasses import replace

from .outbound import SIXTEEN, TEN, Charger, amounts, ladder, ready
from custom_components.ev_charger_hub.station import limits
from custom_components.ev_charger_hub.station.limiter.attendant import START_DELAY
from custom_components.ev_charger_hub.station.link import Capability
from custom_components.ev_charger_hub.station.model import StationInfo
from custom_components.ev_charger_hub.station.outcome import OutcomeStatus


async def test_a_limit_of_a_session_ends_by_itself_above_the_fall_back() -> None:
    charger = await ready(fallback_current=8)
    charger.start_answered(charger.begin())
    await charger.time.advance(START_DELAY)
    await charger.limit(1, TEN)
    assert charger.sent("SetChargingProfile")[0] == {
        "connectorId": 1,
        "csChargingProfiles": {
            "chargingProfileId": 2001,
            "stackLevel": 4,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {
                "startSchedule": "2026-11-19T10:00:02Z",
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 8}],
            },
        },
    }
    assert charger.sent("SetChargingProfile")[-1] == {
        "connectorId": 1,
        "csChargingProfiles": {
            "chargingProfileId": 3001,
            "stackLevel": 5,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Absolute",
            "transactionId": 7,
            "chargingSchedule": {
                # A day ago, and 300 seconds from now.
                "duration": 86400 + 300,
                "startSchedule": "2026-11-19T10:01:03Z",
                "chargingRateUnit": "A",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10}],
            },
        },
    }
    assert ladder(charger) == ["TxDefaultProfile", "TxProfile"]
    assert amounts(charger) == [8, 32, 10]


async def test_a_fall_back_current_is_brought_by_set_up() -> None:
    charger = await ready()
    charger.station.settings = replace(charger.station.settings, fallback_current=8)
    charger.setup.start()
    await charger.settle()
    assert ladder(charger) == ["TxDefaultProfile"]
    assert charger.station.findings["limits"] == "ok"


async def test_phases_are_switched_where_the_charger_says_that_it_can() -> None:
    charger = Charger()
    charger.keys["ConnectorSwitch3to1PhaseSupported"] = ("true", True)
    await charger.learn()
    assert Capability.PHASES in charger.link.capabilities
    charger.begin()
    await charger.limit(1, TEN)
    await charger.time.advance(61)
    outcome = await limits.request_phases(charger.station, 1, 1)
    assert outcome.status is OutcomeStatus.CONFIRMED
    periods = [
        one["chargingSchedule"]["chargingSchedulePeriod"]
        for one in charger.profiles_sent()
    ]
    assert periods == [
        [{"startPeriod": 0, "limit": 10}],
        [{"startPeriod": 0, "limit": 10, "numberPhases": 1}],
    ]


async def test_easee_replaces_by_clearing_at_level_zero() -> None:
    charger = await ready()
    charger.station.info.set(StationInfo(vendor="Easee", firmware="344/1.8.0.0"))
    charger.start_answered(charger.begin())
    await charger.limit(1, TEN)
    await charger.limit(1, SIXTEEN)
    assert [
        (action, payload.get("id"))
        for action, payload in charger.calls
        if action != "GetCompositeSchedule"
    ] == [
        ("SetChargingProfile", None),
        ("ClearChargingProfile", 3001),
        ("SetChargingProfile", None),
    ]
    assert {one["stackLevel"] for one in charger.profiles_sent()} == {0}
    # It may retry for three minutes: nothing is sent again before.
    charger.calls.clear()
    await charger.time.advance(179)
    assert charger.calls == []
