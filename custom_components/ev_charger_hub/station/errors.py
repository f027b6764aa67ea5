"""What can go wrong with a station, by meaning."""


class StationError(Exception):
    """Base of everything a station command can raise."""


class NotConnected(StationError):
    """Nothing was sent, because no link to the station is up."""


class InvalidTransactionId(StationError):
    """Nothing was sent, because no transaction of the link can have this id."""


class NotSupported(StationError):
    """No link of this station can carry the command."""


class UpdateRunning(StationError):
    """Nothing was sent, because the station updates its firmware."""


class JournalError(StationError):
    """The journal cannot be opened, read or written."""
