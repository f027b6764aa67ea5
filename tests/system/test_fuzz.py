"""A short attack on a real Home Assistant, and the judge of longer ones."""

import asyncio
import json
import random
import sys
from typing import Any

from ocpp.messages import get_validator
import pytest

from fuzz.clients import _call_id, _must_not_be
from fuzz.grammar import ACTIONS, SENDS, frame
from fuzz.mutate import Mutator, load
from fuzz.verdict import MIB, Limits, Outcome, violations

from tests.browser.processes import ROOT

TALLY = {"unanswered": 0, "refusals": 0, "takeovers": 0, "examples": ["[2]"]}
LIMITS = Limits(ratio=4.0, growth=64.0)


def outcome(**changes: Any) -> Outcome:
    """Return an outcome without a fault, but for changes."""
    good: dict[str, Any] = {
        "tally": TALLY,
        "calm_p50": 1.0,
        "calm_p99": 10.0,
        "attacked_p50": 3.0,
        "attacked_p99": 30.0,
        "failures": [],
        "memory": [300 * MIB] * 30,
        "log": ["2026 INFO Charger connected", "2026 WARNING odd"],
        "crashed": False,
    }
    return Outcome(**good | changes)


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_nobody_notices_an_attack(socket_enabled: None) -> None:
    # The machine may be busy with other tests: how fast it is says nothing here.
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "fuzz", "--frames", "3000", "--clients", "12"),
        *("--citizens", "8", "--ratio", "100"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=ROOT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    assert b"unanswered             0" in output


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    assert violations(outcome(), LIMITS) == []
    # Ten times of next to nothing is next to nothing.
    assert violations(outcome(calm_p99=1.0, attacked_p99=400.0), LIMITS) == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"crashed": True}, "the server ended"),
        ({"log": ["x ERROR (MainThread) y"]}, "1 errors in the log"),
        ({"log": ["Traceback (most recent call last):"]}, "1 errors in the log"),
        (
            {"tally": TALLY | {"unanswered": 2}},
            "2 valid CALLs unanswered, such as [2]",
        ),
        (
            {"tally": TALLY | {"refusals": 3}},
            "3 CALLs got an error that must not be, such as [2]",
        ),
        ({"tally": TALLY | {"takeovers": 1}}, "1 times"),
        ({"failures": ["LOAD0001: TimeoutError()"]}, "1 calls of others failed"),
        ({"attacked_p99": 600.0}, "60.0 times slower"),
        ({"memory": [n * 10 * MIB for n in range(30)]}, "memory grew by 100 MiB"),
    ],
)
def test_what_must_not_happen_is_found(changes: dict[str, Any], found: str) -> None:
    (said,) = violations(outcome(**changes), LIMITS)
    assert found in said


def test_attack_that_is_too_short_says_nothing_of_memory() -> None:
    assert outcome(memory=[MIB, 500 * MIB]).growth == 0.0


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'[2,"a","Heartbeat",{}]', "a"),
        (b'[2,"a","Unknown",{},1]', "a"),
        (b'[2,"","Heartbeat",{}]', None),
        (b'[2,5,"Heartbeat",{}]', None),
        (b'[3,"a",{}]', None),
        (b'[2,"a",5,{}]', None),
        (b'[2,"a","Heartbeat"]', None),
        (b'[2,"a","Heartbeat",{"x":NaN}]', None),
        (b"[" * 100_000, None),
        ('[2,"a","Heartbeat",{}]'.encode("utf-16"), None),
    ],
)
def test_which_frames_have_to_be_answered(data: bytes, expected: str | None) -> None:
    assert _call_id(data) == expected


@pytest.mark.parametrize(
    ("version", "action", "code", "expected"),
    [
        ("1.6", "StopTransaction", "FormationViolation", False),
        ("1.6", "TransactionEvent", "NotImplemented", False),
        ("1.6", "StopTransaction", "InternalError", True),
        ("2.0.1", "TransactionEvent", "FormatViolation", True),
        ("2.1", "NotifyEvent", "OccurrenceConstraintViolation", True),
        ("2.1", "Authorize", "OccurrenceConstraintViolation", False),
    ],
)
def test_which_errors_must_not_be(
    version: str, action: str, code: str, expected: bool
) -> None:
    assert _must_not_be(version, action, [4, "a", code, "", {}]) is expected


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_what_is_invented_is_valid_json_and_never_the_same(version: str) -> None:
    mutator = Mutator(load(version), random.Random(5))
    frames = [mutator.invented() for _ in range(500)]
    assert len(set(frames)) == 500
    assert all(isinstance(json.loads(one), list) for one in frames)


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_same_seed_makes_the_same_frames(version: str) -> None:
    corpus = load(version)
    first, second = (
        [mutator.frame() for _ in range(2000)]
        for mutator in (Mutator(corpus, random.Random(7)) for _ in range(2))
    )
    assert first == second
    # Most of them differ, and there are some of every kind.
    assert len(set(first)) > 1700
    assert any(_call_id(one) for one in first)
    assert any(_broken(one) for one in first)


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_every_message_of_a_version_is_made_up_as_its_schema_has_it(
    version: str,
) -> None:
    chance = random.Random(3)
    seen = set()
    for _ in range(1500):
        kind, _, action, payload = frame(version, chance, "id")
        seen.add(action)
        if kind == 2:
            # Of format nothing is said, and some integers come as floats.
            errors = get_validator(2, action, version).iter_errors(payload)
            assert not [one.message for one in errors if one.validator != "type"]
    sends = SENDS if version == "2.1" else ()
    assert seen == {*ACTIONS[version], *sends}


def _broken(data: bytes) -> bool:
    try:
        json.loads(data)
    except ValueError, RecursionError:
        return True
    return False
