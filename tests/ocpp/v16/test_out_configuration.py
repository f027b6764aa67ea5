"""What is known of a charger: its configuration keys and its quirks."""

import pytest

from custom_components.ev_charger_hub.ocpp.errors import CallError, ErrorCode
from custom_components.ev_charger_hub.ocpp.quirks import firmware, quirks_of
from custom_components.ev_charger_hub.ocpp.v16.configuration import (
    Configuration,
    Feature,
)
from custom_components.ev_charger_hub.station.link import ConfigurationKey
from custom_components.ev_charger_hub.station.model import StationInfo

NOT_IMPLEMENTED = CallError(ErrorCode.NOT_IMPLEMENTED, "NotImplemented", "")


@pytest.mark.parametrize(
    ("info", "measurands", "level", "unreadable"),
    [
        (StationInfo(), None, None, False),
        (StationInfo(vendor="ABB", firmware="1.8.21"), 10, 0, True),
        (StationInfo(vendor="ABB", firmware="1.8.32"), None, 0, False),
        (StationInfo(vendor="ABB"), 10, 0, True),
        (StationInfo(vendor="Fabber", firmware="1.0"), None, None, False),
        (StationInfo(vendor="Growatt"), 5, None, False),
        (StationInfo(vendor="Easee AS"), None, 0, False),
    ],
)
def test_quirks_follow_vendor_and_firmware(
    info: StationInfo, measurands: int | None, level: int | None, unreadable: bool
) -> None:
    quirks = quirks_of(info)
    assert quirks.max_measurands == measurands
    assert quirks.max_stack_level == level
    assert bool(quirks.unreadable_keys) is unreadable


@pytest.mark.parametrize(
    ("vendor", "firmware", "personality"),
    [
        ("Easee", "344", "easee-native"),
        ("Easee AS", None, "easee-native"),
        ("EASEE", "289/1.5.2.0", "easee-cloud"),
        ("Easee", "344/1.8.0.0", "easee-cloud"),
        ("Acme", "289/1.5.2.0", None),
        (None, None, None),
    ],
)
def test_easee_chargers_are_told_from_those_that_their_cloud_speaks_for(
    vendor: str | None, firmware: str | None, personality: str | None
) -> None:
    quirks = quirks_of(StationInfo(vendor=vendor, firmware=firmware))
    assert quirks.personality == personality
    assert (quirks.settling == 180) is (personality == "easee-cloud")
    assert quirks.inlet_is_outlet is (personality is not None)


def test_a_firmware_is_its_first_dotted_number() -> None:
    assert firmware(StationInfo(firmware="AC_1.8.21-rc1")) == (1, 8, 21)
    assert firmware(StationInfo(firmware="latest")) is None


def key(name: str, value: str | None, *, readonly: bool = False) -> ConfigurationKey:
    return ConfigurationKey(key=name, value=value, readonly=readonly)


def test_keys_are_read_in_every_spelling() -> None:
    known = Configuration()
    known.learn([key("supported Feature_Profiles", "core, smart charging,")])
    assert known.supports(Feature.SMART_CHARGING) is True
    assert known.supports(Feature.REMOTE_TRIGGER) is False
    known.learn([key("SupportedFeatureProfiles", "")])
    assert known.supports(Feature.REMOTE_TRIGGER) is None


def test_numbers_are_read_as_they_come() -> None:
    known = Configuration()
    known.learn([key("A", "30.0"), key("B", "inf"), key("C", "x"), key("D", None)])
    assert [known.number(name) for name in "ABCDE"] == [30, None, None, None, None]


def test_a_flood_of_keys_is_bounded() -> None:
    known = Configuration()
    known.learn(key(f"K{number}", "1") for number in range(5000))
    assert len(known) == 1000
    known.learn([key("K1", "2")])
    assert known.text("K1") == "2"


def test_writing_an_unknown_key_teaches_nothing() -> None:
    known = Configuration()
    known.written("A", "1")
    assert known.get("A") is None


def test_a_dump_is_restored_without_its_garbage() -> None:
    known = Configuration()
    known.learn([key("A", "1"), key("B", None, readonly=True)])
    again = Configuration()
    again.learn([key("A", "2")])
    again.restore([*known.dump(), [1, 2, 3], "x"])
    again.restore(None)
    assert again.text("A") == "2"
    assert again.readonly("B")
    assert len(again) == 2
