"""What can go wrong between two ends of OCPP-J, by meaning."""

from enum import StrEnum
from typing import Any

from .dialect import Dialect

MAX_DESCRIPTION = 255


class OcppError(Exception):
    """Base of everything the OCPP central system raises."""


class ErrorCode(StrEnum):
    """An error code of a CALLERROR, in the spelling of OCPP 2.x (part 4, 4.3)."""

    FORMAT_VIOLATION = "FormatViolation"
    GENERIC = "GenericError"
    INTERNAL = "InternalError"
    MESSAGE_TYPE_NOT_SUPPORTED = "MessageTypeNotSupported"
    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    OCCURRENCE = "OccurrenceConstraintViolation"
    PROPERTY = "PropertyConstraintViolation"
    PROTOCOL = "ProtocolError"
    RPC_FRAMEWORK = "RpcFrameworkError"
    SECURITY = "SecurityError"
    TYPE = "TypeConstraintViolation"


# OCPP 1.6J 4.2.3: the misspellings are official and will not be fixed (errata 5.1,
# 5.2); the last two do not exist there.
_SPELLED_V16 = {
    ErrorCode.FORMAT_VIOLATION: "FormationViolation",
    ErrorCode.OCCURRENCE: "OccurenceConstraintViolation",
    ErrorCode.MESSAGE_TYPE_NOT_SUPPORTED: "GenericError",
    ErrorCode.RPC_FRAMEWORK: "FormationViolation",
}
_BY_SPELLING = {code.lower(): code for code in ErrorCode} | {
    "formationviolation": ErrorCode.FORMAT_VIOLATION,
    "occurenceconstraintviolation": ErrorCode.OCCURRENCE,
}


def spelled(code: ErrorCode, dialect: Dialect) -> str:
    """Return a code as the given version writes it (1.6J 4.2.3, 2.x part 4 4.3)."""
    if dialect is Dialect.V16:
        return _SPELLED_V16.get(code, code.value)
    return code.value


def parse(text: object) -> ErrorCode:
    """Return the code meant by any spelling; GENERIC for what nobody defined."""
    if not isinstance(text, str):
        return ErrorCode.GENERIC
    return _BY_SPELLING.get(text.strip().lower(), ErrorCode.GENERIC)


class RpcError(OcppError):
    """What a handler raises to answer a CALL with CALLERROR.

    The description is a fixed text: never an exception, never a part of the payload.
    """

    def __init__(
        self,
        code: ErrorCode,
        description: str = "",
        details: dict[str, Any] | None = None,
    ) -> None:
        """Keep what is sent, the description cut to 255 characters."""
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description[:MAX_DESCRIPTION]
        self.details = details or {}


class CallError(OcppError):
    """The station answered our CALL with CALLERROR; `raw_code` is its own word."""

    def __init__(self, code: ErrorCode, raw_code: str, description: str) -> None:
        """Keep the meaning, the word as it came and the description."""
        super().__init__(f"{raw_code or code}: {description}".removesuffix(": "))
        self.code = code
        self.raw_code = raw_code
        self.description = description


class CallTimeout(OcppError):
    """The station did not answer our CALL in time."""


class CallInterrupted(OcppError):
    """The socket went away after our CALL was sent and before it was answered."""


class CallNotSent(OcppError):
    """Our CALL was never sent: no socket, or too many wait before it."""


class InvalidAnswer(OcppError):
    """The station's CALLRESULT breaks the schema; `raw` is its payload."""

    def __init__(self, reason: str, raw: object) -> None:
        """Keep the payload for diagnostics."""
        super().__init__(reason)
        self.raw = raw
