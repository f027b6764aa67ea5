"""Equalizer: what it reports, whether it is there, and what becomes of what it is told."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
import json
from typing import Any

import pytest

from custom_components.ev_charger_hub.easee.api import EaseeApi
from custom_components.ev_charger_hub.easee.commands import Commands
from custom_components.ev_charger_hub.easee.equalizer import (
    SURPLUS_OFF,
    UNKNOWN_MODE,
    Equalizer,
    SiteStructure,
)
from custom_components.ev_charger_hub.easee.ids import EqualizerId
from custom_components.ev_charger_hub.easee.products import EqualizerInfo
from custom_components.ev_charger_hub.easee.reading_values import observation_of_state
from custom_components.ev_charger_hub.easee.readings import Observation, Value
from custom_components.ev_charger_hub.easee.surplus import Surplus, SurplusMode
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus
from simulators.easee_cloud import Behaviour, EaseeCloud, Fault, SimulatedTime
from simulators.easee_cloud.products import Product
from simulators.easee_cloud.seed import EQUALIZER

SURPLUS = "surplus-energy"


class Bench:
    """An equalizer of the cloud, and ours that is told what that one reports."""

    def __init__(self, cloud: EaseeCloud, api: EaseeApi, time: SimulatedTime) -> None:
        """Begin with what it reported so far."""
        self.cloud = cloud
        self.time = time
        self.theirs = cloud.equalizers[EQUALIZER]
        self.heard = True
        self.ours = Equalizer(
            EqualizerInfo(serial=EQUALIZER, name="Meter", site_id=1),
            time,
            commands=Commands(api, time, stream_up=lambda: False),
            requests=api,
        )
        self.theirs.listeners.append(self._observed)
        for item in self.theirs.observations():
            self._take(item)

    def _observed(self, _product: Product, observation: Any) -> None:
        if self.heard:
            self._take(observation.state())

    def _take(self, item: dict[str, Any]) -> None:
        observation = observation_of_state(EQUALIZER, item)
        assert observation is not None
        self.ours.take(observation)

    def report(self, number: int, value: Value, ago: float = 0.0) -> None:
        """Let ours hear of a value of some seconds ago."""
        at = self.time() - timedelta(seconds=ago)
        self.ours.take(
            Observation(serial=EQUALIZER, id=number, value=value, at=at), replay=True
        )

    async def outcome(self, command: Coroutine[Any, Any, Outcome]) -> Outcome:
        """Return what becomes of a command, as time passes."""
        task = asyncio.create_task(command)
        while not task.done():
            await self.time.pass_time(0.5)
        return await task

    def asked(self, part: str) -> list[str]:
        """Return the methods of the requests to a path."""
        return [one.method for one in self.cloud.journal if part in one.path]


@pytest.fixture
def bench(cloud: EaseeCloud, api: EaseeApi, time: SimulatedTime) -> Bench:
    """Return the equalizers."""
    return Bench(cloud, api, time)


def fresh(time: SimulatedTime) -> Equalizer:
    """Return an equalizer of which nothing is known."""
    return Equalizer(
        EqualizerInfo(serial=EQUALIZER, name="Meter"),
        time,
        commands=None,  # type: ignore[arg-type]
        requests=None,  # type: ignore[arg-type]
    )


def seen(time: SimulatedTime, number: int, value: Value, ago: float = 0) -> Observation:
    """Return a value of so many seconds ago."""
    at = time() - timedelta(seconds=ago)
    return Observation(serial=EQUALIZER, id=number, value=value, at=at)


def online(equalizer: Equalizer) -> bool:
    """Return whether an equalizer is there now."""
    return equalizer.online.value


def test_it_is_there_while_it_says_something_new(time: SimulatedTime) -> None:
    equalizer = fresh(time)
    assert not online(equalizer)
    equalizer.take(seen(time, EqualizerId.CURRENT_L1, 3.0, ago=600))
    assert online(equalizer)
    time.advance(599)
    assert online(equalizer)
    time.advance(2)
    assert not online(equalizer)
    equalizer.take(seen(time, EqualizerId.CURRENT_L1, 3.0))
    assert online(equalizer)
    time.advance(1100)
    equalizer.take(seen(time, EqualizerId.INTERNAL_TEMPERATURE, 30.0))
    time.advance(1100)
    assert online(equalizer)
    equalizer.stop()
    time.advance(3600)
    assert online(equalizer), "nobody looks any more"


@pytest.mark.conformance("EASEE_A1")
def test_a_replay_of_old_values_is_no_sign_of_life(time: SimulatedTime) -> None:
    equalizer, ago = fresh(time), 3 * 86_400.0
    for number in range(30, 90):
        equalizer.take(seen(time, number, 1.0, ago=ago), replay=True)
    equalizer.take(seen(time, EqualizerId.CONNECTED_TO_CLOUD, False, ago=ago))
    assert not online(equalizer)
    assert equalizer.liveness.last_seen == time() - timedelta(seconds=ago)


def test_it_is_gone_when_the_cloud_says_so(time: SimulatedTime) -> None:
    equalizer = fresh(time)
    equalizer.take(seen(time, EqualizerId.CONNECTED_TO_CLOUD, True))
    assert online(equalizer)
    time.advance(5)
    equalizer.take(seen(time, EqualizerId.CONNECTED_TO_CLOUD, False))
    equalizer.take(seen(time, EqualizerId.CLOUD_DISCONNECT_REASON, "timeout"))
    assert not online(equalizer)
    equalizer.take(seen(time, EqualizerId.CURRENT_L1, 3.0))
    assert not online(equalizer)
    equalizer.take(seen(time, EqualizerId.CONNECTED_TO_CLOUD, "true"))
    assert not online(equalizer)
    time.advance(5)
    equalizer.take(seen(time, EqualizerId.CONNECTED_TO_CLOUD, True))
    assert online(equalizer)


def test_registers_are_whole_watt_hours_that_only_grow(time: SimulatedTime) -> None:
    equalizer = fresh(time)
    number = EqualizerId.CUMULATIVE_ACTIVE_POWER_IMPORT
    for value in (12_345.678, 0.0, 12_345.7001, True, 99_999_999.0, 12_345.701):
        time.advance(60)
        equalizer.take(seen(time, number, value))
    assert equalizer.energies[number].value == 12_345_701
    kept = equalizer.registers[number].dump()
    assert kept is not None
    kept["total"] += 1000
    equalizer.restore(number, kept)
    assert equalizer.energies[number].value == 12_346_701


def test_a_register_that_was_kept_is_outdated_until_the_meter_tells(
    time: SimulatedTime,
) -> None:
    """Test that what was kept minutes before a kill is not taken for the present."""
    number = EqualizerId.CUMULATIVE_ACTIVE_POWER_IMPORT
    kept = {"total": 99_000, "level": 12_000, "at": time().isoformat()}
    equalizer = fresh(time)
    energy = equalizer.energies[number]
    equalizer.restore(number, kept)
    assert energy.outdated
    time.advance(60)
    equalizer.take(seen(time, number, 0.0))
    assert energy.outdated
    equalizer.take(seen(time, number, 12.0))
    assert (energy.value, energy.outdated) == (99_000, False)


@pytest.mark.parametrize(
    ("text", "structure"),
    [
        (
            '{"ratedCurrent":63,"maxContinuousCurrent":60.0,"maxAllocatedCurrent":"25"}',
            SiteStructure(rated=63.0, continuous=60.0, allocated=25.0),
        ),
        ('{"ratedCurrent":null}', SiteStructure()),
        ("[]", None),
        ("", None),
    ],
)
def test_what_it_guards_is_read(
    time: SimulatedTime, text: str, structure: SiteStructure | None
) -> None:
    equalizer = fresh(time)
    equalizer.take(seen(time, EqualizerId.SITE_STRUCTURE, text))
    assert equalizer.structure.value == structure


@pytest.mark.parametrize(
    ("body", "mode", "amps"),
    [
        ({"mode": "none", "standbycurrent": 0}, SurplusMode.NONE, 0),
        ({"mode": 0, "standbycurrent": 0}, SurplusMode.NONE, 0),
        ({"mode": 1, "standbycurrent": 0}, SurplusMode.ONLY, 0),
        ({"mode": 1.0, "standbycurrent": 10}, SurplusMode.WITH_IMPORT, 10),
        ({"mode": "chargingWithImport"}, SurplusMode.ONLY, 0),
        (
            {"mode": "chargingWithImport", "standbyCurrent": 6},
            SurplusMode.WITH_IMPORT,
            6,
        ),
        ({"mode": "moonlight", "standbycurrent": 6}, None, 6),
    ],
)
def test_the_use_of_surplus_is_read(
    time: SimulatedTime, body: dict[str, Any], mode: SurplusMode | None, amps: float
) -> None:
    equalizer = fresh(time)
    text = json.dumps(body)
    equalizer.take(seen(time, EqualizerId.SURPLUS_CHARGING, text))
    surplus = equalizer.surplus.value
    assert surplus is not None
    assert (surplus.mode, surplus.import_current) == (mode, amps)
    if mode is None:
        assert surplus.raw == "moonlight"


@pytest.mark.parametrize("text", ["", "[]", '{"mode":null}', "{"])
def test_a_use_of_surplus_that_is_unreadable_is_none(
    time: SimulatedTime, text: str
) -> None:
    equalizer = fresh(time)
    equalizer.take(seen(time, EqualizerId.SURPLUS_CHARGING, text))
    assert equalizer.surplus.value is None


async def test_the_allocated_current_is_set_and_reported_back(bench: Bench) -> None:
    outcome = await bench.outcome(bench.ours.set_max_allocated(20))
    assert outcome.status is OutcomeStatus.CONFIRMED
    assert bench.theirs.max_allocated == 20
    assert bench.ours.structure.value == SiteStructure(
        rated=63.0, continuous=63.0, allocated=20.0
    )


async def test_without_the_stream_the_allocated_current_is_read_back(
    bench: Bench,
) -> None:
    bench.heard = False
    outcome = await bench.outcome(bench.ours.set_max_allocated(20))
    assert outcome.status is OutcomeStatus.CONFIRMED
    assert bench.ours.structure.value is not None
    assert bench.ours.structure.value.allocated == 20
    assert bench.asked("/observations") == ["GET"]


async def test_an_allocated_current_that_is_there_already_is_not_written(
    bench: Bench,
) -> None:
    await bench.outcome(bench.ours.set_max_allocated(20))
    written = bench.asked("/configure_max_allocated_current")
    outcome = await bench.outcome(bench.ours.set_max_allocated(20))
    assert (outcome.status, outcome.answer) == (OutcomeStatus.CONFIRMED, "no change")
    assert bench.asked("/configure_max_allocated_current") == written == ["POST"]


@pytest.mark.parametrize("answers", [True, False])
async def test_an_allocated_current_that_somebody_else_has_changed_is_written(
    bench: Bench, answers: bool
) -> None:
    await bench.outcome(bench.ours.set_max_allocated(20))
    bench.heard = False
    bench.theirs.set_max_allocated(32)
    if not answers:
        bench.cloud.faults.add(Fault(pattern="/observations", status=404))
    bench.time.advance(60)
    outcome = await bench.outcome(bench.ours.set_max_allocated(20))
    assert outcome.ok
    assert bench.theirs.max_allocated == 20
    assert len(bench.asked("/configure_max_allocated_current")) == 2


async def test_an_allocated_current_that_is_refused_is_not_waited_for(
    bench: Bench,
) -> None:
    bench.cloud.commands.next(Behaviour(reject=4))
    outcome = await bench.outcome(bench.ours.set_max_allocated(20))
    assert (outcome.status, outcome.answer) == (OutcomeStatus.REJECTED, "rejected")
    assert bench.asked("/observations") == []


async def test_an_allocated_current_that_becomes_another_one_is_an_error(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.theirs, "set_max_allocated", lambda amps: None)
    outcome = await bench.outcome(bench.ours.set_max_allocated(20))
    assert outcome == Outcome(
        status=OutcomeStatus.REJECTED, answer="another value", detail="63 A"
    )


async def test_an_equalizer_that_reports_nothing_leaves_it_open(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.ours.structure.set(None)
    bench.heard = False
    bench.cloud.faults.add(
        Fault(pattern="/observations", times=None, status=200, body={})
    )
    outcome = await bench.outcome(bench.ours.set_max_allocated(20))
    assert outcome.status is OutcomeStatus.TIMED_OUT


@pytest.mark.parametrize("mode", SurplusMode)
async def test_a_use_of_surplus_that_is_there_already_is_not_written(
    bench: Bench, mode: SurplusMode
) -> None:
    await bench.outcome(bench.ours.set_surplus_mode(mode))
    written = bench.asked("/surplus-energy").count("POST")
    outcome = await bench.outcome(bench.ours.set_surplus_mode(mode))
    assert (outcome.status, outcome.answer) == (OutcomeStatus.CONFIRMED, "no change")
    assert bench.asked("/surplus-energy").count("POST") == written


async def test_a_use_of_surplus_that_somebody_else_has_changed_is_written(
    bench: Bench,
) -> None:
    await bench.outcome(bench.ours.set_surplus_mode(SurplusMode.ONLY))
    bench.heard = False
    bench.theirs.set_surplus({"mode": "none"})
    outcome = await bench.outcome(bench.ours.set_surplus_mode(SurplusMode.ONLY))
    assert outcome.ok
    assert bench.theirs.surplus["mode"] == "chargingWithImport"


async def test_surplus_is_set_and_reported_back(bench: Bench) -> None:
    for mode, amps in (
        (SurplusMode.ONLY, 0),
        (SurplusMode.WITH_IMPORT, 6),
        (SurplusMode.NONE, 0),
    ):
        outcome = await bench.outcome(bench.ours.set_surplus_mode(mode))
        assert outcome.ok
        surplus = bench.ours.surplus.value
        assert surplus is not None
        assert (surplus.mode, surplus.import_current) == (mode, amps)
    bodies = [one.body for one in bench.cloud.journal if SURPLUS in one.path]
    assert bodies == [
        {
            "mode": "chargingWithImport",
            "chargingWithImport": {"eligible": True, "maximumImportAddedCurrent": amps},
        }
        for amps in (0, 6)
    ] + [{"mode": "none"}]


async def test_the_added_import_is_the_one_of_last_time(bench: Bench) -> None:
    await bench.outcome(bench.ours.set_surplus_mode(SurplusMode.WITH_IMPORT))
    assert (await bench.outcome(bench.ours.set_surplus_import(9.5))).ok
    assert (await bench.outcome(bench.ours.set_surplus_import(0))).ok
    assert bench.ours.surplus.value is not None
    assert bench.ours.surplus.value.mode is SurplusMode.ONLY
    await bench.outcome(bench.ours.set_surplus_mode(SurplusMode.NONE))
    await bench.outcome(bench.ours.set_surplus_mode(SurplusMode.WITH_IMPORT))
    assert bench.ours.surplus.value == Surplus(
        mode=SurplusMode.WITH_IMPORT, raw="chargingWithImport", import_current=9.5
    )


async def test_the_added_import_needs_a_mode_that_has_one(bench: Bench) -> None:
    assert await bench.ours.set_surplus_import(6) is SURPLUS_OFF
    bench.report(EqualizerId.SURPLUS_CHARGING, '{"mode":"moonlight"}')
    assert await bench.ours.set_surplus_import(6) is UNKNOWN_MODE
    assert bench.asked(SURPLUS) == []


async def test_without_the_stream_the_use_of_surplus_is_read_back(
    bench: Bench,
) -> None:
    bench.heard = False
    outcome = await bench.outcome(bench.ours.set_surplus_mode(SurplusMode.ONLY))
    assert outcome.ok
    assert bench.asked(SURPLUS) == ["POST", "GET"]
    assert bench.ours.surplus.value is not None
    assert bench.ours.surplus.value.mode is SurplusMode.ONLY


async def test_a_use_of_surplus_that_is_not_taken_over_is_an_error(
    bench: Bench,
) -> None:
    bench.cloud.faults.add(Fault(pattern=SURPLUS, method="POST", status=200, body={}))
    outcome = await bench.outcome(bench.ours.set_surplus_mode(SurplusMode.ONLY))
    assert outcome == Outcome(
        status=OutcomeStatus.REJECTED, answer="another value", detail="none 0 A"
    )


async def test_surplus_that_nobody_can_tell_of_leaves_it_open(bench: Bench) -> None:
    bench.heard = False
    bench.cloud.faults.add(Fault(pattern=SURPLUS, method="GET", times=None, status=404))
    bench.ours.surplus.set(None)
    outcome = await bench.outcome(bench.ours.set_surplus_mode(SurplusMode.ONLY))
    assert outcome.status is OutcomeStatus.TIMED_OUT


async def test_a_forbidden_use_of_surplus_says_so(bench: Bench) -> None:
    bench.cloud.faults.add(
        Fault(pattern=SURPLUS, status=403, body={"message": "Forbidden"})
    )
    outcome = await bench.outcome(bench.ours.set_surplus_mode(SurplusMode.ONLY))
    assert (outcome.status, outcome.answer) == (OutcomeStatus.REJECTED, "forbidden")


def test_what_is_known_of_it(bench: Bench) -> None:
    assert bench.ours.serial == EQUALIZER
    assert bench.ours.firmware == 220
    assert bench.ours.online.value
    energies = {number: one.value for number, one in bench.ours.energies.items()}
    assert energies[EqualizerId.CUMULATIVE_REACTIVE_POWER_IMPORT] == 12_000
