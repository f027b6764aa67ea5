"""The rows of the conformance list, what proves them, and why some need no proof."""

import ast
from collections.abc import Iterator
import csv
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

HERE = Path(__file__).parent
TESTS = HERE.parent

WHOLE = ("conformance", "easee", "ha", "system")
"""Folders whose tests let a charger talk to the whole integration, or the whole client
of the Easee cloud to a cloud."""


NO_SUITE = "2.1"
"""There is no public test suite of this version: what has no test is listed as such."""


class Verdict(StrEnum):
    """How a row stands."""

    GREEN = "green"
    WAIVED = "waived"
    MISSING = "missing"
    LISTED = "listed"
    FAILED = "failed"


@dataclass(kw_only=True, slots=True, frozen=True)
class Proof:
    """A test that carries the id of a row."""

    row: str
    file: str
    test: str

    @property
    def whole(self) -> bool:
        """Return whether a charger talks to the whole integration in this test."""
        return self.file.split("/")[1] in WHOLE


@dataclass(kw_only=True, slots=True, frozen=True)
class Row:
    """One row: what a central system has to do, and what shows that ours does."""

    id: str
    version: str
    block: str
    title: str
    proofs: tuple[Proof, ...] = ()
    waiver: str | None = None

    @property
    def verdict(self) -> Verdict:
        """Return how the row stands, as far as it is known without running a test."""
        if any(proof.whole for proof in self.proofs):
            return Verdict.GREEN
        if self.waiver is not None:
            return Verdict.WAIVED
        return Verdict.LISTED if self.version == NO_SUITE else Verdict.MISSING


def rows() -> list[Row]:
    """Return every row with its proofs and its waiver."""
    found = list(proofs())
    excused = waivers()
    return [
        Row(
            **line,
            proofs=tuple(proof for proof in found if proof.row == line["id"]),
            waiver=excused.get(line["id"]),
        )
        for line in _lines("rows.csv")
    ]


def waivers() -> dict[str, str]:
    """Return the reason by the id of each row that has no test."""
    return {line["id"]: line["reason"] for line in _lines("waivers.csv")}


def proofs() -> Iterator[Proof]:
    """Yield what the marks in the tests say that they prove."""
    for path in sorted(TESTS.rglob("test_*.py")):
        file = path.relative_to(TESTS.parent).as_posix()
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            for row in _marks(node):
                yield Proof(row=row, file=file, test=getattr(node, "name", ""))


def _marks(node: ast.stmt) -> Iterator[str]:
    """Yield the ids that a statement is marked with."""
    for one in ast.walk(node):
        match one:
            case ast.Call(
                func=ast.Attribute(attr="conformance"),
                args=[ast.Constant(value=str(row))],
            ):
                yield row


def _lines(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
