"""Described: what the model is told of the configuration keys of OCPP 1.6."""

from collections.abc import Iterator

from ...station.variables import DeviceVariable, Named
from ..renamed import TO_16
from .configuration import Configuration


def described(configuration: Configuration) -> Iterator[DeviceVariable]:
    """Yield the keys that OCPP 2.x has as variables that matter to a home."""
    for name in Named:
        key = TO_16.get(name)
        if key is None or (known := configuration.get(key)) is None:
            continue
        yield DeviceVariable(
            name=name, address=known.key, value=known.value, writable=not known.readonly
        )
