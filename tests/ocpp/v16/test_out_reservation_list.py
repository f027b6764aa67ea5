"""Local list and reservations of OCPP 1.6: what is sent, and the step of set-up."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from .outbound import Charger
from custom_components.ev_charger_hub.ocpp.errors import CallInterrupted
from custom_components.ev_charger_hub.ocpp.stepwise import Finding
from custom_components.ev_charger_hub.ocpp.v16.link import V16Link
from custom_components.ev_charger_hub.station.authorization import Verdict
from custom_components.ev_charger_hub.station.commands import (
    ListEntry,
    LocalListSupport,
    ReservationRequest,
)
from custom_components.ev_charger_hub.station.enums import AuthorizationStatus
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus
from custom_components.ev_charger_hub.station.settings import LocalListMode
from tests.station.list_charger import GOOD, ListCharger

type Command = Callable[[V16Link], Awaitable[Outcome]]

EVENING = datetime(2026, 11, 20, 18, tzinfo=UTC)
REQUEST = ReservationRequest(
    reservation_id=7, evse_id=2, id_token="TAG", expires=EVENING
)

COMMANDS: list[tuple[Command, str, dict[str, Any]]] = [
    (
        lambda k: k.send_local_list(3, (), full=True),
        "SendLocalList",
        {"listVersion": 3, "updateType": "Full"},
    ),
    (
        lambda k: k.send_local_list(
            4,
            (
                ListEntry(id_token="GONE", verdict=None),
                ListEntry(
                    id_token="OLD",
                    verdict=Verdict(
                        status=AuthorizationStatus.EXPIRED,
                        expires=EVENING,
                        group="FAMILY",
                    ),
                ),
            ),
            full=False,
        ),
        "SendLocalList",
        {
            "listVersion": 4,
            "updateType": "Differential",
            "localAuthorizationList": [
                {"idTag": "GONE"},
                {
                    "idTag": "OLD",
                    "idTagInfo": {
                        "status": "Expired",
                        "expiryDate": "2026-11-20T18:00:00.000Z",
                        "parentIdTag": "FAMILY",
                    },
                },
            ],
        },
    ),
    (
        lambda k: k.reserve(REQUEST),
        "ReserveNow",
        {
            "connectorId": 2,
            "expiryDate": "2026-11-20T18:00:00.000Z",
            "idTag": "TAG",
            "reservationId": 7,
        },
    ),
    (
        lambda k: k.reserve(replace(REQUEST, evse_id=0, group="FAMILY")),
        "ReserveNow",
        {
            "connectorId": 0,
            "expiryDate": "2026-11-20T18:00:00.000Z",
            "idTag": "TAG",
            "parentIdTag": "FAMILY",
            "reservationId": 7,
        },
    ),
    (lambda k: k.cancel_reservation(7), "CancelReservation", {"reservationId": 7}),
]


@pytest.mark.parametrize(("command", "action", "payload"), COMMANDS)
async def test_each_command_is_one_message(
    command: Command, action: str, payload: dict[str, Any]
) -> None:
    charger = Charger()
    outcome = await command(charger.link)
    assert charger.calls == [(action, payload)]
    assert outcome.ok


@pytest.mark.parametrize(
    ("answer", "status", "version"),
    [
        ({"listVersion": 0}, OutcomeStatus.ACCEPTED, 0),
        ({"listVersion": 12}, OutcomeStatus.ACCEPTED, 12),
        ({"listVersion": -1}, OutcomeStatus.NOT_SUPPORTED, None),
        ({"listVersion": "12"}, OutcomeStatus.ACCEPTED, None),
    ],
)
async def test_a_version_is_a_number_or_says_that_there_is_no_list(
    answer: dict[str, Any], status: OutcomeStatus, version: int | None
) -> None:
    charger = Charger()
    charger.answers["GetLocalListVersion"] = answer
    outcome, told = await charger.link.local_list_version()
    assert charger.calls == [("GetLocalListVersion", {})]
    assert (outcome.status, told) == (status, version)


@pytest.mark.parametrize(
    ("keys", "support"),
    [
        ({}, LocalListSupport(supported=False, max_token=20)),
        (
            {"SupportedFeatureProfiles": "Core,LocalAuthListManagement"},
            LocalListSupport(supported=True, max_token=20),
        ),
        (
            {"SupportedFeatureProfiles": ""},
            LocalListSupport(supported=None, max_token=20),
        ),
        (
            {
                "LocalAuthListEnabled": "false",
                "LocalAuthListMaxLength": "50",
                "SendLocalListMaxLength": "10",
            },
            LocalListSupport(
                supported=True,
                enabled=False,
                max_entries=50,
                max_per_message=10,
                max_token=20,
            ),
        ),
    ],
)
async def test_the_keys_tell_of_the_list(
    keys: dict[str, str], support: LocalListSupport
) -> None:
    charger = Charger()
    charger.keys |= {key: (value, True) for key, value in keys.items()}
    await charger.learn()
    assert charger.link.local_list_support == support


async def _finding(charger: ListCharger) -> str:
    """Return what a whole set-up finds of the list."""
    charger.setup.start()
    await charger.settle()
    finding = charger.station.findings["local_list"]
    charger.local_list.close()
    return finding


async def test_set_up_brings_the_list_last() -> None:
    charger = ListCharger()
    charger.tokens = {"CARD": GOOD}
    assert await _finding(charger) == "ok: 1 tokens"
    assert [action for action, _ in charger.calls][-2:] == [
        "GetLocalListVersion",
        "SendLocalList",
    ]


@pytest.mark.parametrize("mode", LocalListMode)
async def test_set_up_switches_a_list_on_that_is_wanted(mode: LocalListMode) -> None:
    charger = ListCharger(local_list=mode)
    charger.keys["LocalAuthListEnabled"] = ("false", False)
    charger.tokens = {"CARD": GOOD}
    finding = await _finding(charger)
    wanted = mode is LocalListMode.ENABLE
    assert bool(charger.updates) is wanted
    assert charger.keys["LocalAuthListEnabled"][0] == str(wanted).lower()
    assert finding == {
        LocalListMode.AUTOMATIC: "ok: disabled",
        LocalListMode.ENABLE: "ok: 1 tokens",
        LocalListMode.OFF: "ok: left_alone",
    }.get(mode)


async def test_a_list_that_is_on_only_after_a_reboot_is_sent_then() -> None:
    charger = ListCharger(local_list=LocalListMode.ENABLE)
    charger.keys["LocalAuthListEnabled"] = ("false", False)
    charger.answers["ChangeConfiguration"] = {"status": "RebootRequired"}
    charger.tokens = {"CARD": GOOD}
    charger.version = -1
    assert await _finding(charger) == "not_supported"
    charger.keys["LocalAuthListEnabled"] = ("true", False)
    charger.version = 0
    await charger.restart_hub()
    assert await _finding(charger) == "ok: 1 tokens"


async def test_a_list_that_cannot_be_switched_on_is_not_sent() -> None:
    charger = ListCharger(local_list=LocalListMode.ENABLE)
    charger.keys["LocalAuthListEnabled"] = ("false", True)
    charger.tokens = {"CARD": GOOD}
    assert await _finding(charger) == "ok: disabled"
    assert charger.updates == []


@pytest.mark.parametrize(
    ("faults", "finding"),
    [
        (["Failed", "Failed"], "refused: Failed"),
        (["lost"], "unanswered"),
        (["NotSupported"], "not_supported"),
        (["hung up"], Finding.DISCONNECTED),
        (["gone"], Finding.DISCONNECTED),
    ],
)
async def test_set_up_tells_what_became_of_the_list(
    faults: list[str], finding: str
) -> None:
    charger = ListCharger()
    charger.tokens = {"CARD": GOOD}
    charger.faults = faults
    assert await _finding(charger) == finding


async def test_a_charger_that_hangs_up_when_asked_for_its_version_is_seen() -> None:
    charger = ListCharger()
    charger.tokens = {"CARD": GOOD}
    charger.answers["GetLocalListVersion"] = CallInterrupted()
    assert await _finding(charger) == Finding.DISCONNECTED
    assert charger.setup.interrupted
