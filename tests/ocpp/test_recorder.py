"""The last frames are there for the one who looks, without secrets and without end."""

from datetime import UTC, datetime

from custom_components.ev_charger_hub.ocpp.recorder import Direction, Recorder

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def test_frames_are_shown_in_order_and_redacted() -> None:
    recorder = Recorder(lambda: NOW)
    recorder.note(Direction.FROM_CHARGER, b'[2,"1","Authorize",{"idTag":"04A1B2C3D4"}]')
    recorder.note(Direction.TO_CHARGER, '[3,"1",{}]')
    first, second = recorder.shown()
    assert first == {
        "at": "2026-11-21T10:00:00+00:00",
        "direction": "from charger",
        "frame": '[2,"1","Authorize",{"idTag":"***C3D4"}]',
    }
    assert second["frame"] == '[3,"1",{}]'


def test_memory_is_bounded() -> None:
    recorder = Recorder(lambda: NOW)
    for number in range(51):
        recorder.note(Direction.TO_CHARGER, str(number))
    assert recorder.shown()[0]["frame"] == "1"
    recorder.note(Direction.FROM_CHARGER, b"x" * 100_000)
    assert recorder.shown()[-1]["frame"] == "(100000 long)"


def test_what_is_no_json_is_not_shown() -> None:
    recorder = Recorder(lambda: NOW)
    recorder.note(Direction.FROM_CHARGER, b"secret")
    assert recorder.shown()[0]["frame"] == "(6 long, no JSON)"


def test_a_password_that_is_sent_is_not_shown() -> None:
    recorder = Recorder(lambda: NOW)
    recorder.note(
        Direction.TO_CHARGER,
        '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"hidden"}]',
    )
    assert "hidden" not in recorder.shown()[0]["frame"]
