"""Set-up: what is asked of a station and written to it after a boot."""

from ..adapter import StationContext
from .link import V16Link


class Setup:
    """Learn what a station can do, step by step, in the background."""

    def __init__(self, context: StationContext, link: V16Link) -> None:
        """Use `link` for everything that is sent."""
        self._context = context
        self._link = link

    def start(self) -> None:
        """Run, or run again after a reboot; nothing in quiet mode."""
