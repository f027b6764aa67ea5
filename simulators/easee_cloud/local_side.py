"""What a charger is beside the cloud: nothing, unless local OCPP makes it something."""

from .history import ChargingSession


class LocalSide:
    """The side of a charger that the cloud does not see; this one does nothing."""

    @property
    def rules(self) -> bool:
        """Return whether it decides who may charge, whatever the cloud requires."""
        return False

    def limit(self) -> float | None:
        """Return how many ampere it allows; None if it says nothing."""
        return None

    def plugged(self) -> None:
        """Take note of a car."""

    def swiped(self, token: str) -> None:
        """Take note of a card."""

    def began(self, session: ChargingSession) -> None:
        """Take note that a session begins."""

    def ended(self, session: ChargingSession) -> None:
        """Take note that a session ends."""

    def show(self) -> None:
        """Tell what the charger does by now."""

    def powered_off(self) -> None:
        """Be gone."""

    def powered_on(self) -> None:
        """Be there again, and remember nothing that a reboot takes."""
