"""Print how the rows of the conformance list stand: `scripts/conformance --help`."""

import argparse
from collections import Counter
from collections.abc import Sequence
import json
import os
from pathlib import Path
import subprocess
import sys
from tempfile import TemporaryDirectory

from tests.conformance.outcomes import FILE, Outcomes
from tests.conformance.rows import TESTS, Row, Verdict, rows


def main() -> int:
    """Print the table; return 0 if no row is missing or failed."""
    arguments = _arguments()
    outcomes = _run(arguments.pytest) if arguments.run else None
    verdicts = {row: _verdict(row, outcomes) for row in rows()}
    _print_blocks(verdicts)
    _print_rows(verdicts, whole=arguments.list)
    bad = {Verdict.FAILED, Verdict.MISSING}
    return 1 if bad & set(verdicts.values()) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/conformance",
        description="Count the rows of the conformance list that tests prove.",
    )
    parser.add_argument("--run", action="store_true", help="run the tests, too")
    parser.add_argument("--list", action="store_true", help="print every row")
    parser.add_argument("pytest", nargs="*", help="arguments of pytest, after --")
    return parser.parse_args()


def _run(arguments: Sequence[str]) -> Outcomes:
    """Run every test that carries an id; return how they ended."""
    command = [sys.executable, "-m", "pytest", "-m", "conformance", "-q", "-n", "auto"]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "outcomes.json"
        subprocess.run(
            [*command, "-p", "tests.conformance.outcomes", *arguments],
            cwd=TESTS.parent,
            env=os.environ | {FILE: str(file)},
            check=False,
        )
        outcomes: Outcomes = json.loads(file.read_text(encoding="utf-8"))
    return outcomes


def _verdict(row: Row, outcomes: Outcomes | None) -> Verdict:
    """Return how a row stands: with outcomes, green is what has passed."""
    if outcomes is None or row.verdict is not Verdict.GREEN:
        return row.verdict
    ended = outcomes.get(row.id, {})
    return Verdict.GREEN if set(ended) == {"passed"} else Verdict.FAILED


def _print_blocks(verdicts: dict[Row, Verdict]) -> None:
    blocks = list(dict.fromkeys(row.block for row in verdicts))
    width = max(len(block) for block in blocks)
    print(f"{'':{width}} {'rows':>7}", *(f"{one:>7}" for one in Verdict))
    for block in [*blocks, ""]:
        counts = Counter(
            verdict for row, verdict in verdicts.items() if block in ("", row.block)
        )
        figures = [counts.total(), *(counts[one] for one in Verdict)]
        print(f"{block or 'All':{width}}", *(f"{one:>7}" for one in figures))


def _print_rows(verdicts: dict[Row, Verdict], *, whole: bool) -> None:
    """Print the rows that are not green, or all with what proves them."""
    print()
    for row, verdict in verdicts.items():
        if not whole and verdict is Verdict.GREEN:
            continue
        why = f": {row.waiver}" if verdict is Verdict.WAIVED else ""
        print(f"{verdict:7} {row.id:14} {row.title}{why}")
        for proof in row.proofs if whole else ():
            print(f"{'':8}{proof.file}::{proof.test}")


if __name__ == "__main__":
    sys.exit(main())
