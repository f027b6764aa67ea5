"""Ways: what one refuses goes by the other, and what may be done is not done twice."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from custom_components.ev_charger_hub.station.errors import (
    InvalidTransactionId,
    JournalError,
    NotConnected,
    NotSupported,
)
from custom_components.ev_charger_hub.station.link import Capability, Link
from custom_components.ev_charger_hub.station.model import ChargingStation
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus
from custom_components.ev_charger_hub.station.settings import StationSettings
from custom_components.ev_charger_hub.station.ways import carry

ACCEPTED = Outcome(status=OutcomeStatus.ACCEPTED)
REJECTED = Outcome(status=OutcomeStatus.REJECTED, answer="locally")
REFUSED = Outcome(status=OutcomeStatus.REJECTED, answer="by the cloud")
NOT_SUPPORTED = Outcome(status=OutcomeStatus.NOT_SUPPORTED)
TIMED_OUT = Outcome(status=OutcomeStatus.TIMED_OUT)
NO_ANSWER = Outcome(status=OutcomeStatus.NO_ANSWER)

type Said = Outcome | Exception


async def stop(*said: Said) -> tuple[Outcome, int]:
    """Return what became of a stop, and by how many ways it went."""
    station = ChargingStation("CP1", StationSettings(name="CP"))
    able = frozenset({Capability.START_STOP})
    answers: dict[int, Said] = {}
    for one in said:
        link = SimpleNamespace(connected=True, capabilities=able)
        station.links.append(cast("Link", link))
        answers[id(link)] = one
    asked: list[Any] = []

    async def send(link: Link) -> Outcome:
        asked.append(link)
        answer = answers[id(link)]
        if isinstance(answer, Exception):
            raise answer
        return answer

    outcome = await carry(station, Capability.START_STOP, send)
    return outcome, len(asked)


@pytest.mark.parametrize(
    ("local", "cloud", "outcome", "asked"),
    [
        (ACCEPTED, ACCEPTED, ACCEPTED, 1),
        (REJECTED, ACCEPTED, ACCEPTED, 2),
        (NOT_SUPPORTED, ACCEPTED, ACCEPTED, 2),
        (InvalidTransactionId("x"), ACCEPTED, ACCEPTED, 2),
        (NotConnected(), ACCEPTED, ACCEPTED, 2),
        (REJECTED, REFUSED, REJECTED, 2),
        (REJECTED, TIMED_OUT, TIMED_OUT, 2),
        (REJECTED, NotConnected(), REJECTED, 2),
        (REJECTED, JournalError(), REJECTED, 2),
        (TIMED_OUT, ACCEPTED, TIMED_OUT, 1),
        (NO_ANSWER, ACCEPTED, NO_ANSWER, 1),
    ],
)
async def test_another_way_is_for_what_was_surely_not_done(
    local: Said, cloud: Said, outcome: Outcome, asked: int
) -> None:
    assert await stop(local, cloud) == (outcome, asked)


async def test_what_no_way_carries_is_an_error() -> None:
    with pytest.raises(NotConnected):
        await stop()
    with pytest.raises(NotSupported):
        await stop(NotConnected(), NotSupported())
    with pytest.raises(InvalidTransactionId):
        await stop(InvalidTransactionId("x"))
    with pytest.raises(JournalError):
        await stop(InvalidTransactionId("x"), JournalError())
