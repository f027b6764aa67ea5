"""The OCPP 1.6 connection as a link: commands in, outcomes out."""

from ..adapter import StationContext


class V16Link:
    """Carry the commands of a station over its OCPP 1.6 connection."""

    def __init__(self, context: StationContext) -> None:
        """Carry commands over `context.call`."""
        self.context = context
