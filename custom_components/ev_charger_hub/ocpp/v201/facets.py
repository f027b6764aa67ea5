"""Facets: the parts of a link that OCPP 2.x has besides its commands."""

from collections.abc import Mapping
from typing import override

from ...station.facets import Facets
from ..adapter import StationContext
from ..blocks import Answer
from .costs import CostCommands
from .display import DisplayCommands
from .publishing import PublishingCommands
from .reports import Reports
from .sender import Sender
from .tariffs import TariffCommands


class FacetCommands(Sender, Facets):
    """The part of a link that has these facets."""

    def __init__(self, context: StationContext, reports: Reports) -> None:
        """Carry commands over `context.call`; what they ask for comes to `reports`."""
        super().__init__(context, reports)
        self._costs = CostCommands(context, reports)
        self._display = DisplayCommands(context, reports)
        self._publishing = PublishingCommands(context, reports)
        self._tariffs = TariffCommands(context, reports)

    @property
    def facet_answers(self) -> Mapping[str, Answer]:
        """Return what answers the messages of the facets, by their name."""
        return {
            **self._display.answers,
            **self._publishing.answers,
            **self._tariffs.answers,
        }

    @property
    @override
    def costs(self) -> CostCommands:
        """Return what tells drivers what they pay."""
        return self._costs

    @property
    @override
    def display(self) -> DisplayCommands:
        """Return what knows the display of the station."""
        return self._display

    @property
    @override
    def publishing(self) -> PublishingCommands:
        """Return what has the station hand firmware on to others."""
        return self._publishing

    @property
    @override
    def tariffs(self) -> TariffCommands | None:
        """Return what gives tariffs to the station: only 2.1 knows them."""
        return self._tariffs if self._context.station.version.value == "2.1" else None
