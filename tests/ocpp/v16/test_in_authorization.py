"""Authorize of OCPP 1.6."""

import pytest

from .conftest import Charger, FakeClock
from custom_components.ev_charger_hub.station.authorization import AcceptAll
from custom_components.ev_charger_hub.station.enums import AuthorizationStatus
from custom_components.ev_charger_hub.station.model import TokenPresented


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


def test_everybody_may_charge_by_default() -> None:
    verdict = AcceptAll().authorize("CP1", "TAG1")
    assert verdict.status is AuthorizationStatus.ACCEPTED
