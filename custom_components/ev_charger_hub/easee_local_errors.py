"""Local errors: why a charger is not moved to local OCPP, or back."""

from enum import StrEnum

from .easee.local_problems import Problem


class Refusal(StrEnum):
    """Why nothing is done; values are ends of translation keys."""

    ALREADY = "already"
    """It is moved already, or on its way."""
    IDENTITY_TAKEN = "identity_taken"
    """Another OCPP server than the wanted one has it."""
    NOT_CONFIRMED = "not_confirmed"
    """There are problems that the user has not confirmed."""
    NOT_MOVED = "not_moved"
    """There is nothing to undo or to try again."""
    NO_SERVER = "no_server"
    """The OCPP server does not run, or is needed and was not named."""
    STOPPED = "stopped"
    """There are problems that nobody can confirm."""
    UNKNOWN_CHARGER = "unknown_charger"
    """The account has no such charger, or it is not here."""


class LocalRefused(Exception):
    """What was wanted of a charger is not done; nothing has changed."""

    def __init__(self, refusal: Refusal, problems: tuple[Problem, ...] = ()) -> None:
        """Keep why, and which problems there are."""
        super().__init__(refusal)
        self.refusal = refusal
        self.problems = problems
