"""A plugin of pytest that writes down how the tests of each row ended.

Load it with `-p tests.conformance.outcomes`; the file is named by EV_CONFORMANCE_FILE.
"""

from collections import defaultdict
import json
import os
from pathlib import Path

import pytest

FILE = "EV_CONFORMANCE_FILE"

type Outcomes = dict[str, dict[str, list[str]]]
"""Tests by outcome, by row."""

_outcomes: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))


def pytest_itemcollected(item: pytest.Item) -> None:
    """Send the rows along with the report of a test, also between processes."""
    item.user_properties += [
        ("conformance", row)
        for mark in item.iter_markers("conformance")
        for row in mark.args
    ]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note how a test ended, and whatever failed around it."""
    if report.when != "call" and report.outcome == "passed":
        return
    for name, row in report.user_properties:
        if name == "conformance":
            _outcomes[str(row)][report.outcome].append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the outcomes, in the process that has them all."""
    if not hasattr(session.config, "workerinput"):
        Path(os.environ[FILE]).write_text(json.dumps(_outcomes), encoding="utf-8")
