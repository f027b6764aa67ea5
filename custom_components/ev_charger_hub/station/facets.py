"""Facets: the parts of a link that only OCPP 2.x has."""

from typing import Protocol

from .costs import CostLink
from .display import DisplayLink
from .publishing import PublishingLink
from .tariffs import TariffLink


class Facets(Protocol):
    """What a link may have besides its commands; None where a version has no word."""

    @property
    def costs(self) -> CostLink | None:
        """Return what tells drivers what they pay, None before 2.x."""
        return None

    @property
    def display(self) -> DisplayLink | None:
        """Return what knows the display of the station, None before 2.x."""
        return None

    @property
    def publishing(self) -> PublishingLink | None:
        """Return what has a station hand firmware on to others, None before 2.x."""
        return None

    @property
    def tariffs(self) -> TariffLink | None:
        """Return what gives tariffs to the station, None before 2.1."""
        return None
