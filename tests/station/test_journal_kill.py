"""Kill -9 in the middle of it all: nothing acknowledged is lost or doubled."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
import json
from pathlib import Path
import random
import sqlite3
import subprocess
import sys

import pytest

ROOT = Path(__file__).parents[2]
ROUNDS = 10


@dataclass
class Acknowledged:
    """What the killed processes said was durable."""

    ids: dict[int, str] = field(default_factory=dict)
    stopped: set[int] = field(default_factory=set)
    numbers: list[int] = field(default_factory=list)
    done: int = 0

    @property
    def next(self) -> int:
        """Return the session to go on with: a station repeats what was not answered."""
        return max(self.stopped, default=-1) + 1

    def hear(self, line: str) -> None:
        """Take note of one acknowledgement."""
        match line.split():
            case ["start", number, transaction_id]:
                # A repeated start is answered with the id that it had before the kill.
                known = self.ids.setdefault(int(number), transaction_id)
                assert known == transaction_id
            case ["number", number]:
                self.numbers.append(int(number))
            case ["stop", number, transaction_id, energy]:
                assert self.ids[int(number)] == transaction_id
                assert energy == "500"
                self.stopped.add(int(number))
            case ["fact", number]:
                self.done = int(number)
            case _:
                pytest.fail(f"unexpected: {line}")


@pytest.mark.conformance("TX_12")
@pytest.mark.conformance("SEC_08")
def test_a_killed_process_forgets_nothing_it_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    begin = datetime.now(UTC) - timedelta(days=1)
    heard = Acknowledged()
    dice = random.Random(20261120)

    for _ in range(ROUNDS):
        run_and_kill(path, begin, heard, lines=dice.randrange(1, 30))
        check(path, heard)

    assert len(heard.stopped) > ROUNDS


def run_and_kill(path: Path, begin: datetime, heard: Acknowledged, lines: int) -> None:
    child = Path(__file__).with_name("journal_child.py")
    arguments = [str(ROOT), str(path), str(heard.next), begin.isoformat()]
    with subprocess.Popen(
        [sys.executable, str(child), *arguments], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(lines):
            heard.hear(process.stdout.readline())
        process.kill()
        # What was said before the kill counts, even if it was not read yet.
        for line in process.stdout.readlines():
            if line.endswith("\n"):
                heard.hear(line)


def check(path: Path, heard: Acknowledged) -> None:
    connection = sqlite3.connect(path)
    rows = connection.execute(
        "SELECT meter_start / 1000, transaction_id, state, energy FROM transactions "
        "ORDER BY key"
    ).fetchall()
    (fact,) = connection.execute("SELECT value FROM facts").fetchone() or ("0",)
    connection.close()

    assert [row[0] for row in rows] == list(range(len(rows)))
    assert len(rows) - len(heard.ids) in (0, 1)
    for number, transaction_id, state, energy in rows:
        assert heard.ids.get(number, transaction_id) == transaction_id
        if number in heard.stopped:
            assert (state, energy) == ("closed", 500)
    ids = [int(row[1]) for row in rows]
    assert all(0 < one < other < 2**31 for one, other in pairwise(ids))
    assert all(one < other for one, other in pairwise(heard.numbers))
    assert json.loads(fact) >= heard.done
