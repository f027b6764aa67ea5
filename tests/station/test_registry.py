"""Test the registry of stations."""

from custom_components.ev_charger_hub.station.model import ChargingStation, StationInfo
from custom_components.ev_charger_hub.station.registry import StationRegistry
from custom_components.ev_charger_hub.station.settings import StationSettings


def station(identity: str, serial: str | None = None) -> ChargingStation:
    """Return a station that has told its serial number."""
    made = ChargingStation(identity, StationSettings(name=identity))
    made.info.set(StationInfo(serial=serial))
    return made


def test_station_is_known_once() -> None:
    """Test that adding a station again changes nothing."""
    registry = StationRegistry()
    one = station("CP01")
    registry.add(one)
    registry.add(one)
    assert list(registry) == [one]
    assert len(registry) == 1
    registry.discard(one)
    registry.discard(one)
    assert list(registry) == []


def test_identity_goes_before_serial() -> None:
    """Test that a serial number counts only where the identity is not known."""
    registry = StationRegistry()
    by_serial, by_identity = station("A", "EH123456"), station("B")
    registry.add(by_serial)
    registry.add(by_identity)
    assert registry.find(identity="B", serial="EH123456") is by_identity
    assert registry.find(identity="C", serial="EH123456") is by_serial


def test_serial_is_compared_as_people_read_it() -> None:
    """Test that case and blanks around a serial number do not matter."""
    registry = StationRegistry()
    first, second = station("A", " eh123456 "), station("B", "EH123456")
    registry.add(first)
    registry.add(second)
    assert registry.find(serial="EH123456") is first
    assert registry.find(serial="EH999999") is None


def test_unknown_serials_are_not_equal() -> None:
    """Test that two stations without a serial number are two."""
    registry = StationRegistry()
    registry.add(station("A"))
    assert registry.find(serial=None) is None
    assert registry.find(serial=" ") is None
