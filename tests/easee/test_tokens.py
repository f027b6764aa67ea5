"""Pairs of tokens: how long they last, how they are stored, and what they show."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.ev_charger_hub.easee.tokens import TokenPair

NOW = datetime(2026, 10, 1, 6, 0, tzinfo=UTC)
HOUR = 3600


def token(**claims: Any) -> str:
    """Return a token that says so of itself."""
    body = urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.c2ln"


def lifetime(access: str, expires_in: Any) -> float:
    """Return how many seconds a pair lasts."""
    body = {"accessToken": access, "refreshToken": "r", "expiresIn": expires_in}
    pair = TokenPair.from_answer(body, NOW)
    assert pair is not None
    return (pair.expires_at - pair.taken_at).total_seconds()


@pytest.mark.parametrize(
    ("access", "expires_in", "seconds"),
    [
        ("opaque", 3600, 3600),
        ("opaque", 3599.5, 3599.5),
        ("opaque", None, HOUR),
        ("opaque", 0, HOUR),
        ("opaque", -1, HOUR),
        ("opaque", True, HOUR),
        ("opaque", "3600", HOUR),
        ("opaque", 1e300, 30 * 86400),
        ("a.b.c", 86400, 86400),
        ("a.!!.c", 86400, 86400),
        (token(iat=1000, exp=4600), 86400, 3600),
        (token(iat=1000, exp=87400), 3600, 3600),
        (token(iat=1000, exp=4600), None, 3600),
        (token(iat=4600, exp=1000), None, HOUR),
        (token(exp=4600), 7200, 7200),
        (token(iat="1000", exp=4600), 7200, 7200),
    ],
)
def test_the_shortest_of_what_is_said_counts(
    access: str, expires_in: Any, seconds: float
) -> None:
    assert lifetime(access, expires_in) == seconds


@pytest.mark.parametrize(
    "body",
    [
        None,
        "text",
        [],
        {},
        {"accessToken": "a"},
        {"accessToken": None, "refreshToken": "r"},
        {"accessToken": "a", "refreshToken": 1},
    ],
)
def test_an_answer_without_both_tokens_is_no_pair(body: Any) -> None:
    assert TokenPair.from_answer(body, NOW) is None


def pair(seconds: float = HOUR) -> TokenPair:
    """Return a pair that lasts so long."""
    return TokenPair(
        access="access-secret",
        refresh="refresh-secret",
        expires_at=NOW + timedelta(seconds=seconds),
        taken_at=NOW,
    )


@pytest.mark.parametrize(
    ("seconds", "after", "lasts"),
    [
        (HOUR, 0, True),
        (HOUR, HOUR - 61, True),
        (HOUR, HOUR - 60, False),
        (HOUR, -60, True),
        (HOUR, -61, False),
        (30, 14, True),
        (30, 15, False),
    ],
)
def test_a_pair_lasts_until_shortly_before_its_end(
    seconds: float, after: float, lasts: bool
) -> None:
    assert pair(seconds).lasts(NOW + timedelta(seconds=after)) is lasts


@given(
    st.text(),
    st.text(),
    st.datetimes(datetime(2000, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.datetimes(datetime(2000, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_what_is_stored_is_what_is_read(
    access: str, refresh: str, expires_at: datetime, taken_at: datetime
) -> None:
    stored = TokenPair(
        access=access, refresh=refresh, expires_at=expires_at, taken_at=taken_at
    )
    assert TokenPair.from_dict(stored.as_dict()) == stored


@pytest.mark.parametrize(
    "damage",
    [
        {"access": None},
        {"refresh": 1},
        {"expires_at": "soon"},
        {"expires_at": 1000},
        {"taken_at": None},
    ],
)
def test_what_cannot_be_read_is_no_pair(damage: dict[str, Any]) -> None:
    assert TokenPair.from_dict(pair().as_dict() | damage) is None
    assert TokenPair.from_dict({}) is None


def test_a_pair_shows_no_token() -> None:
    assert "secret" not in repr(pair())
    assert "secret" not in str(pair())
