"""Local problems: what stands against having a charger dial in the house (3.6)."""

from dataclasses import dataclass
from enum import StrEnum


class Check(StrEnum):
    """What is wrong."""

    FIRMWARE_UNKNOWN = "firmware_unknown"
    FIRMWARE_TOO_OLD = "firmware_too_old"
    FIRMWARE_BETA = "firmware_beta"
    """It can, with firmware that was never finished."""
    NO_WIFI = "no_wifi"
    WIFI_UNKNOWN = "wifi_unknown"
    OFFLINE = "offline"
    OTHER_OPERATOR = "other_operator"
    OPERATOR_UNKNOWN = "operator_unknown"
    FOREIGN_CONFIGURATION = "foreign_configuration"
    """Somebody else had it dial somewhere."""
    SCHEDULE_ACTIVE = "schedule_active"
    """The charger follows a schedule of the cloud, which is replaced by this."""
    ADDRESS_INVALID = "address_invalid"
    ADDRESS_LOOPBACK = "address_loopback"
    ADDRESS_UNREACHABLE = "address_unreachable"
    ADDRESS_CONTAINER = "address_container"
    """Only other containers of the same machine reach it."""
    ADDRESS_INGRESS = "address_ingress"
    """Only browsers that are logged in do."""
    ADDRESS_NAME = "address_name"
    """A name that the charger can look up only if the router helps."""
    ADDRESS_ELSEWHERE = "address_elsewhere"
    """None of the addresses of this machine."""
    CERTIFICATE_MISSING = "certificate_missing"
    CERTIFICATE_DOMAIN = "certificate_domain"
    """The certificate is for another host than the address."""
    IDENTITY_INVALID = "identity_invalid"
    PASSWORD_INVALID = "password_invalid"  # noqa: S105


@dataclass(kw_only=True, slots=True, frozen=True)
class Problem:
    """Something that is wrong, and whether the user may insist all the same.

    `detail` is what to show of it: a firmware, an operator, a host, a schedule.
    """

    check: Check
    overridable: bool = False
    detail: str = ""
