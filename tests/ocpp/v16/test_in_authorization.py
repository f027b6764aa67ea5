"""Authorize of OCPP 1.6."""

import pytest

from .conftest import Charger, FakeClock
from custom_components.ev_charger_hub.station.enums import AuthorizationStatus
from custom_components.ev_charger_hub.station.events import TokenPresented
from custom_components.ev_charger_hub.station.link import Capability


@pytest.mark.parametrize(
    ("status", "word"),
    [
        pytest.param(AuthorizationStatus.ACCEPTED, "Accepted", id="TC_003"),
        pytest.param(
            AuthorizationStatus.INVALID,
            "Invalid",
            marks=pytest.mark.conformance("TC_023_1_CSMS"),
        ),
        pytest.param(
            AuthorizationStatus.EXPIRED,
            "Expired",
            marks=pytest.mark.conformance("TC_023_2_CSMS"),
        ),
        pytest.param(
            AuthorizationStatus.BLOCKED,
            "Blocked",
            marks=pytest.mark.conformance("TC_023_3_CSMS"),
        ),
        pytest.param(AuthorizationStatus.CONCURRENT_TX, "ConcurrentTx", id="tx"),
    ],
)
async def test_authorize_answers_what_the_authorizer_says(
    charger: Charger, clock: FakeClock, status: AuthorizationStatus, word: str
) -> None:
    charger.authorizer.statuses["TAG1"] = status
    frame = await charger.call("Authorize", {"idTag": "TAG1"})
    assert frame[2] == {"idTagInfo": {"status": word}}
    assert charger.events == [TokenPresented(id_token="TAG1", status=status)]
    assert charger.station.id_token_presented.value == ("TAG1", clock.now)


async def test_the_same_tag_again_is_news(charger: Charger, clock: FakeClock) -> None:
    told: list[None] = []
    charger.station.id_token_presented.subscribe(lambda: told.append(None))
    for _ in range(2):
        await charger.call("Authorize", {"idTag": "TAG1"})
        clock.tick(1)
    assert len(told) == 2


async def test_a_start_tells_of_a_token_that_was_not_asked_about(
    charger: Charger, clock: FakeClock
) -> None:
    await charger.start(id_tag="TAG1")
    assert charger.events_of(TokenPresented) == [
        TokenPresented(id_token="TAG1", status="accepted", evse_id=1)
    ]
    assert charger.station.id_token_presented.value == ("TAG1", clock.now)


async def test_a_start_with_a_token_that_was_shown_tells_nothing_new(
    charger: Charger, clock: FakeClock
) -> None:
    await charger.call("Authorize", {"idTag": "TAG1"})
    clock.tick(60)
    await charger.start(id_tag="tag1")
    assert len(charger.events_of(TokenPresented)) == 1


async def test_a_start_that_was_asked_for_is_no_token_that_was_shown(
    charger: Charger,
) -> None:
    charger.connect()
    await charger.station.link(Capability.START_STOP).start_charging(1, "TAG1")
    await charger.start(id_tag="TAG1")
    assert charger.events_of(TokenPresented) == []


async def test_a_start_of_the_past_tells_nothing(
    charger: Charger, clock: FakeClock
) -> None:
    await charger.start(timestamp=clock.text(-3600))
    assert charger.events_of(TokenPresented) == []


async def test_a_refused_token_gets_a_transaction_with_a_number(
    charger: Charger, clock: FakeClock
) -> None:
    charger.authorizer.statuses["TAG1"] = AuthorizationStatus.INVALID
    payload = {"connectorId": 1, "idTag": "TAG1", "meterStart": 0}
    frame = await charger.call(
        "StartTransaction", {**payload, "timestamp": clock.text()}
    )
    assert frame[2]["idTagInfo"] == {"status": "Invalid"}
    assert frame[2]["transactionId"] > 0
    assert charger.events_of(TokenPresented) == [
        TokenPresented(id_token="TAG1", status="invalid", evse_id=1)
    ]


async def test_the_authorizer_is_told_where_a_transaction_begins(
    charger: Charger,
) -> None:
    await charger.call("Authorize", {"idTag": "TAG1"})
    await charger.start(connector_id=2, id_tag="TAG1")
    assert charger.authorizer.asked == [("TAG1", None), ("TAG1", 2)]
