"""Addresses: where the cloud is now, in one place, and nowhere where it was (S49)."""

from pathlib import Path
import re

import pytest

from custom_components.ev_charger_hub.easee import const

PACKAGE = Path(const.__file__).parents[1]
OLD = re.compile(r"easee\.cloud\b|api\.easee\.com/hubs", re.IGNORECASE)
ANY = re.compile(r"\b(?:api|auth|streams)\.easee\.com", re.IGNORECASE)


def sources() -> dict[Path, str]:
    """Return the text of everything that is installed."""
    return {
        path: path.read_text(encoding="utf-8")
        for path in PACKAGE.rglob("*")
        if path.suffix in {".py", ".json", ".yaml"}
    }


@pytest.mark.conformance("EASEE_S49")
def test_the_stream_is_where_it_moved_to() -> None:
    assert const.STREAM_URL == "https://streams.easee.com/hubs/chargers"
    assert const.API_URL == "https://api.easee.com"
    texts = sources()
    assert [path.name for path, text in texts.items() if OLD.search(text)] == []
    assert [path.name for path, text in texts.items() if ANY.search(text)] == [
        "const.py"
    ]
