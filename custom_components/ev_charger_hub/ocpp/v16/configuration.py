"""Configuration keys: reading what a station says of itself, however it says it."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, override

from ...station import signing
from ...station.enums import RateUnit
from ...station.link import ConfigurationKey
from ...station.secrets import MASK, names_secret
from ..known import Known

MAX_KEYS = 1000
MAX_CONNECTORS = 64


class Key(StrEnum):
    """The configuration keys that we use (OCPP 1.6 9.1 and 9.4)."""

    ALIGNED_DATA = "MeterValuesAlignedData"
    ALIGNED_DATA_MAX_LENGTH = "MeterValuesAlignedDataMaxLength"
    ALIGNED_INTERVAL = "ClockAlignedDataInterval"
    CONNECTORS = "NumberOfConnectors"
    FEATURES = "SupportedFeatureProfiles"
    FILE_TRANSFERS = "SupportedFileTransferProtocols"
    LIST_ENABLED = "LocalAuthListEnabled"
    LIST_MAX_LENGTH = "LocalAuthListMaxLength"
    LIST_MESSAGE_LENGTH = "SendLocalListMaxLength"
    MAX_PERIODS = "ChargingScheduleMaxPeriods"
    MAX_PROFILES = "MaxChargingProfilesInstalled"
    MAX_STACK_LEVEL = "ChargeProfileMaxStackLevel"
    PHASE_SWITCHING = "ConnectorSwitch3to1PhaseSupported"
    RATE_UNITS = "ChargingScheduleAllowedChargingRateUnit"
    SAMPLED_DATA = "MeterValuesSampledData"
    SAMPLED_DATA_MAX_LENGTH = "MeterValuesSampledDataMaxLength"
    SAMPLED_INTERVAL = "MeterValueSampleInterval"
    SIGN_READINGS = signing.SIGN_READINGS


class Feature(StrEnum):
    """A feature profile (OCPP 1.6 3.2.1)."""

    LIST = "LocalAuthListManagement"
    REMOTE_TRIGGER = "RemoteTrigger"
    SMART_CHARGING = "SmartCharging"


def _plain(text: str) -> str:
    return text.replace(" ", "").replace("_", "").lower()


def _text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    return None


def parse_keys(answer: Any) -> list[ConfigurationKey]:
    """Return the keys of a GetConfiguration answer, each once, leaving out garbage."""
    entries = answer.get("configurationKey") if isinstance(answer, dict) else None
    found: dict[str, ConfigurationKey] = {}
    for entry in entries[:MAX_KEYS] if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or not isinstance(entry.get("key"), str):
            continue
        key = ConfigurationKey(
            key=entry["key"],
            value=_text(entry.get("value")),
            readonly=str(entry.get("readonly", False)).lower() == "true",
        )
        known = found.get(_plain(key.key))
        if known is None or known.value is None:
            found[_plain(key.key)] = key
    return list(found.values())


def concealed(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the answer of a station with the values of secret keys masked."""
    # OCPP 1.6 Security (4.2) calls AuthorizationKey write-only; not all stations do.
    entries = answer.get("configurationKey")
    if not isinstance(entries, list):
        return answer
    return {**answer, "configurationKey": [_concealed_entry(one) for one in entries]}


def _concealed_entry(entry: Any) -> Any:
    if not isinstance(entry, dict) or not entry.get("value"):
        return entry
    return {**entry, "value": MASK} if names_secret(str(entry.get("key"))) else entry


def parse_unknown(answer: Any) -> list[str]:
    """Return the keys that a GetConfiguration answer calls unknown."""
    unknown = answer.get("unknownKey") if isinstance(answer, dict) else None
    if not isinstance(unknown, list):
        return []
    return [key for key in unknown[:MAX_KEYS] if isinstance(key, str)]


def select(
    asked: Iterable[str], keys: Iterable[ConfigurationKey]
) -> tuple[list[ConfigurationKey], list[str]]:
    """Split what was asked for into what an answer holds and what it lacks."""
    # Some stations answer every question with all their keys.
    found = {_plain(key.key): key for key in keys}
    names = list(dict.fromkeys(asked))
    return (
        [found[_plain(name)] for name in names if _plain(name) in found],
        [name for name in names if _plain(name) not in found],
    )


class Configuration(Known):
    """What is known of a station's configuration, whichever spelling it uses."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._keys: dict[str, ConfigurationKey] = {}

    def __len__(self) -> int:
        """Return how many keys are known."""
        return len(self._keys)

    def learn(self, keys: Iterable[ConfigurationKey]) -> None:
        """Add or replace keys; the value of a secret is left out."""
        for key in keys:
            name = _plain(key.key)
            if name not in self._keys and len(self._keys) >= MAX_KEYS:
                continue
            if names_secret(name):
                key = ConfigurationKey(key=key.key, value=None, readonly=key.readonly)
            self._keys[name] = key

    def written(self, key: str, value: str) -> None:
        """Take over a value that the station accepted."""
        if known := self.get(key):
            self.learn([ConfigurationKey(key=known.key, value=value, readonly=False)])

    def forget(self) -> None:
        """Know nothing again, as for another firmware."""
        self._keys.clear()

    @override
    def get(self, key: str) -> ConfigurationKey | None:
        """Return a key if it is known."""
        return self._keys.get(_plain(key))

    @override
    def text(self, key: str) -> str | None:
        """Return the value of a key, or None."""
        return known.value if (known := self.get(key)) else None

    @override
    def readonly(self, key: str) -> bool:
        """Return whether the station says that a key cannot be written."""
        return (known := self.get(key)) is not None and known.readonly

    def supports(self, feature: Feature) -> bool | None:
        """Return whether a feature profile is listed; None if no list is known."""
        if not (listed := self.items(Key.FEATURES)):
            return None
        return feature.lower() in {_plain(name) for name in listed}

    @property
    def connectors(self) -> int | None:
        """Return the number of connectors (1 to 64), None if unknown or nonsense."""
        number = self.number(Key.CONNECTORS)
        return number if number and 1 <= number <= MAX_CONNECTORS else None

    @property
    def max_stack_level(self) -> int:
        """Return the highest stack level allowed (OCPP 1.6 9.4.1); 0 if unknown."""
        return max(self.number(Key.MAX_STACK_LEVEL) or 0, 0)

    @property
    def rate_units(self) -> tuple[RateUnit, ...]:
        """Return the units for limits (OCPP 1.6 9.4.2), ours first; ampere if unknown."""
        # Written as Current and Power by the book, as A and W by several stations.
        words = {_plain(word) for word in self.items(Key.RATE_UNITS) or ()}
        units = {
            RateUnit.AMPERE: words & {"current", "a", "amp", "amps", "ampere"},
            RateUnit.WATT: words & {"power", "w", "watt", "watts"},
        }
        return tuple(unit for unit, said in units.items() if said) or (RateUnit.AMPERE,)

    @override
    def dump(self) -> list[list[Any]]:
        """Return everything known as JSON, for the journal."""
        return [[key.key, key.value, key.readonly] for key in self._keys.values()]

    def restore(self, kept: Any) -> None:
        """Take over what `dump` returned once, unless it is known better by now."""
        for entry in kept if isinstance(kept, list) else ():
            match entry:
                case [str(key), str() | None as value, bool(readonly)]:
                    if self.get(key) is None:
                        known = ConfigurationKey(
                            key=key, value=value, readonly=readonly
                        )
                        self.learn([known])
