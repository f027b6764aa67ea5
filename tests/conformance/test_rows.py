"""Every row of the conformance list is proved by a test, or excused with a reason."""

from .rows import Verdict, proofs, rows, waivers


def test_every_row_has_a_test_through_the_integration_or_a_waiver() -> None:
    assert [row.id for row in rows() if row.verdict is Verdict.MISSING] == []


def test_no_test_carries_an_id_that_is_no_row() -> None:
    known = {row.id for row in rows()}
    assert [proof for proof in proofs() if proof.row not in known] == []


def test_a_waiver_has_a_reason_and_is_still_needed() -> None:
    known = {row.id: row for row in rows()}
    for row, reason in waivers().items():
        assert reason, row
        assert known[row].verdict is Verdict.WAIVED, row
