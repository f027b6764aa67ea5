"""Chargers that dial: what local OCPP, once applied, connects to a central system."""

from .charger import Charger
from .local_ocpp import Details, LocalOcpp
from .twin import Twin


class Dialer:
    """Makes chargers dial, each of them the twin of what the cloud knows."""

    def __init__(self, local_ocpp: LocalOcpp) -> None:
        """Dial for a cloud."""
        self.twins: dict[str, Twin] = {}
        local_ocpp.dial = self.dial
        local_ocpp.hang_up = self.hang_up
        local_ocpp.forgotten = self.forget
        local_ocpp.twin = self.twin

    def twin(self, charger: Charger) -> Twin:
        """Return the twin of a charger."""
        if (found := self.twins.get(charger.serial)) is None:
            found = self.twins[charger.serial] = Twin(charger)
        return found

    def dial(self, charger: Charger, details: Details) -> None:
        """Connect a charger as its details say."""
        self.twin(charger).dial(details)

    def hang_up(self, charger: Charger) -> None:
        """Disconnect a charger."""
        self.twin(charger).hang_up()

    def forget(self, charger: Charger) -> None:
        """Have a charger forget whom it dialed."""
        self.twin(charger).forget()

    async def close(self) -> None:
        """Disconnect all chargers."""
        for twin in self.twins.values():
            await twin.close()
