"""Time stamps of real stations, and ours."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, strategies as st
import pytest

from custom_components.ev_charger_hub.ocpp import timestamps

TEN = datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T10:00:00Z",
        "2026-11-20T10:00:00.0Z",
        "2026-11-20T10:00:00.000000000Z",
        "2026-11-20T10:00:00",
        "2026-11-20 10:00:00",
        "2026-11-20T10:00:00z",
        "2026-11-20t10:00:00.Z",
        "2026-11-20T10:00Z",
        "2026-11-20T12:00:00+02:00",
        "2026-11-20T12:00:00 +02:00",
        "2026-11-20T12:00:00+0200",
        "2026-11-20T12:00:00+2",
        "2026-11-20T08:00:00-2:00",
        "2026-11-20T10:00:00+00:00Z",
        "2026-11-20T10:00:00 UTC",
        " 2026-11-20T10:00:00.000Z ",
        "20261120T100000Z",
        "2026-11-20T10:0:0Z",
    ],
)
def test_many_forms_mean_the_same_moment(text: str) -> None:
    assert timestamps.parse(text) == TEN


@pytest.mark.parametrize("digits", range(10))
def test_any_number_of_fraction_digits_is_read(digits: int) -> None:
    fraction = f".{'123456789'[:digits]}" if digits else ""
    micros = int("123456789"[:digits][:6].ljust(6, "0"))
    parsed = timestamps.parse(f"2026-11-20T10:00:00{fraction}Z")
    assert parsed == TEN + timedelta(microseconds=micros)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1970-01-01T00:00:07Z", datetime(1970, 1, 1, 0, 0, 7, tzinfo=UTC)),
        ("2026-11-20T24:00:00Z", datetime(2026, 11, 21, tzinfo=UTC)),
        ("2026-12-31T23:59:60Z", datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-1-2T3:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ],
)
def test_odd_moments(text: str, moment: datetime) -> None:
    assert timestamps.parse(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "now",
        "2026-11-20",
        "222222017-01-01T00:00:00Z",
        "2026-13-20T10:00:00Z",
        "2026-11-20T25:00:00z",
        "2026-11-20T10:00:00+25:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31 23:59:59 -1:00",
        "9" * 5000,
        5,
    ],
)
def test_the_hopeless_is_none(text: str | None) -> None:
    assert timestamps.parse(text) is None


@given(st.text(alphabet="0123456789-+:.,TtZz W٣", max_size=40) | st.text())
def test_nothing_raises(text: str) -> None:
    moment = timestamps.parse(text)
    assert moment is None or moment.tzinfo is UTC


@given(
    st.datetimes(timezones=st.just(UTC)),
    st.integers(-23, 23),
)
def test_what_is_rendered_is_read_back(moment: datetime, hours: int) -> None:
    try:
        aware = moment.astimezone(timezone(timedelta(hours=hours)))
    except OverflowError:
        aware = moment
    text = timestamps.render(aware)
    assert len(text) == 24
    assert text.endswith("Z")
    parsed = timestamps.parse(text)
    assert parsed == aware.replace(microsecond=aware.microsecond // 1000 * 1000)


def test_the_form_that_every_firmware_reads() -> None:
    local = TEN.astimezone(timezone(timedelta(hours=1))) + timedelta(microseconds=5999)
    assert timestamps.render(local) == "2026-11-20T10:00:00.005Z"
