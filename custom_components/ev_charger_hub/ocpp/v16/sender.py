"""Sender: one call to an OCPP 1.6 station, and what is known of its configuration."""

from typing import Any, override

from ..adapter import StationContext
from ..sender import TIMEOUT, CallSender
from .configuration import Configuration, concealed

__all__ = ["TIMEOUT", "Sender"]


class Sender(CallSender):
    """What all commands of a station are sent by."""

    def __init__(self, context: StationContext) -> None:
        """Carry commands over `context.call`."""
        super().__init__(context)
        self.configuration = Configuration()
        """What is known of the station's configuration keys."""

    @staticmethod
    @override
    def concealed(answer: dict[str, Any]) -> dict[str, Any]:
        """Return an answer with the values of secret keys masked."""
        return concealed(answer)
