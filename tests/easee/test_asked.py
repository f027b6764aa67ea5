"""What has to be asked for: how often, and what becomes of it without an answer."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
import logging

import pytest

from custom_components.ev_charger_hub.easee.asked import RETRY, Asked
from custom_components.ev_charger_hub.easee.errors import (
    Forbidden,
    NotFound,
    Unavailable,
)
from simulators.easee_cloud import SimulatedTime

HOURLY = timedelta(hours=1)


class Oracle:
    """Answers in turn, and counts how often it was asked."""

    def __init__(self, *answers: int | Exception | None) -> None:
        """Give these answers, the last one for ever."""
        self.answers = list(answers)
        self.asked = 0

    async def ask(self) -> int | None:
        """Return the next answer."""
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def running(request: pytest.FixtureRequest) -> Callable[[Asked[int]], None]:
    """Return what has something asked for until the test is over."""

    def run(asked: Asked[int]) -> None:
        task = asyncio.ensure_future(asked.run())
        request.addfinalizer(task.cancel)

    return run


async def test_it_is_asked_again_and_again(
    time: SimulatedTime, running: Callable[[Asked[int]], None]
) -> None:
    oracle = Oracle(1, 2)
    asked = Asked(time, oracle.ask, HOURLY)
    running(asked)
    await time.pass_time(1)
    assert asked.value.value == 1
    await time.pass_time(3600)
    assert asked.value.value == 2
    assert oracle.asked == 2


@pytest.mark.parametrize("error", [Forbidden(), NotFound()])
async def test_what_nobody_may_know_is_nothing(
    time: SimulatedTime, error: Exception
) -> None:
    asked = Asked(time, Oracle(1, error).ask, HOURLY)
    await asked.refresh()
    assert asked.value.value == 1
    await asked.refresh()
    assert asked.value.value is None


async def test_without_an_answer_it_is_asked_sooner_and_what_was_known_stays(
    time: SimulatedTime, running: Callable[[Asked[int]], None]
) -> None:
    oracle = Oracle(1, Unavailable(), 2)
    asked = Asked(time, oracle.ask, HOURLY)
    running(asked)
    await time.pass_time(3601)
    assert (asked.value.value, oracle.asked) == (1, 2)
    await time.pass_time(RETRY.total_seconds())
    assert (asked.value.value, oracle.asked) == (2, 3)


async def test_an_answer_that_is_not_understood_does_not_end_it(
    time: SimulatedTime,
    running: Callable[[Asked[int]], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    oracle = Oracle(ValueError(), 2)
    asked = Asked(time, oracle.ask, HOURLY)
    with caplog.at_level(logging.ERROR):
        running(asked)
        await time.pass_time(1)
    assert "not understood" in caplog.text
    await time.pass_time(3600)
    assert asked.value.value == 2
