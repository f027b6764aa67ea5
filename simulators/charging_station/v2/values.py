"""What the handlers of a station take: tokens, meter values, events and their words."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
import struct
from typing import Any

from ..clock import stamp

type Json = dict[str, Any]


class ChargingState(StrEnum):
    """How far a transaction's vehicle is (ChargingStateEnumType)."""

    CHARGING = "Charging"
    EV_CONNECTED = "EVConnected"
    IDLE = "Idle"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"


class ConnectorStatus(StrEnum):
    """What a connector is (ConnectorStatusEnumType)."""

    AVAILABLE = "Available"
    FAULTED = "Faulted"
    OCCUPIED = "Occupied"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"


class FirmwareStatus(StrEnum):
    """How far an update is (FirmwareStatusEnumType)."""

    DOWNLOADED = "Downloaded"
    DOWNLOADING = "Downloading"
    DOWNLOAD_FAILED = "DownloadFailed"
    DOWNLOAD_PAUSED = "DownloadPaused"
    DOWNLOAD_SCHEDULED = "DownloadScheduled"
    IDLE = "Idle"
    INSTALLATION_FAILED = "InstallationFailed"
    INSTALLED = "Installed"
    INSTALLING = "Installing"
    INSTALL_REBOOTING = "InstallRebooting"
    INSTALL_SCHEDULED = "InstallScheduled"
    INSTALL_VERIFICATION_FAILED = "InstallVerificationFailed"
    INVALID_SIGNATURE = "InvalidSignature"
    SIGNATURE_VERIFIED = "SignatureVerified"


class LogStatus(StrEnum):
    """How far an upload is (UploadLogStatusEnumType)."""

    ACCEPTED_CANCELED = "AcceptedCanceled"
    BAD_MESSAGE = "BadMessage"
    IDLE = "Idle"
    NOT_SUPPORTED_OPERATION = "NotSupportedOperation"
    PERMISSION_DENIED = "PermissionDenied"
    UPLOADED = "Uploaded"
    UPLOADING = "Uploading"
    UPLOAD_FAILURE = "UploadFailure"


class NetworkInterface(StrEnum):
    """A way to the network (OCPPInterfaceEnumType)."""

    WIRED0 = "Wired0"
    WIRED1 = "Wired1"
    WIRELESS0 = "Wireless0"
    WIRELESS1 = "Wireless1"


class Reason(StrEnum):
    """Why a transaction ended (ReasonEnumType)."""

    DE_AUTHORIZED = "DeAuthorized"
    EMERGENCY_STOP = "EmergencyStop"
    ENERGY_LIMIT_REACHED = "EnergyLimitReached"
    EV_DISCONNECTED = "EVDisconnected"
    GROUND_FAULT = "GroundFault"
    IMMEDIATE_RESET = "ImmediateReset"
    LOCAL = "Local"
    LOCAL_OUT_OF_CREDIT = "LocalOutOfCredit"
    OTHER = "Other"
    POWER_LOSS = "PowerLoss"
    REBOOT = "Reboot"
    REMOTE = "Remote"
    REQ_ENERGY_TRANSFER_REJECTED = "ReqEnergyTransferRejected"
    SOC_LIMIT_REACHED = "SOCLimitReached"
    STOPPED_BY_EV = "StoppedByEV"
    TIMEOUT = "Timeout"
    TIME_LIMIT_REACHED = "TimeLimitReached"


class ReservationStatus(StrEnum):
    """How a reservation ended (ReservationUpdateStatusEnumType)."""

    EXPIRED = "Expired"
    REMOVED = "Removed"


class TriggerReason(StrEnum):
    """Why there is news of a transaction (TriggerReasonEnumType)."""

    ABNORMAL_CONDITION = "AbnormalCondition"
    AUTHORIZED = "Authorized"
    CABLE_PLUGGED_IN = "CablePluggedIn"
    CHARGING_RATE_CHANGED = "ChargingRateChanged"
    CHARGING_STATE_CHANGED = "ChargingStateChanged"
    COST_LIMIT_REACHED = "CostLimitReached"
    DEAUTHORIZED = "Deauthorized"
    ENERGY_LIMIT_REACHED = "EnergyLimitReached"
    EV_COMMUNICATION_LOST = "EVCommunicationLost"
    EV_DEPARTED = "EVDeparted"
    EV_DETECTED = "EVDetected"
    LIMIT_SET = "LimitSet"
    METER_VALUE_CLOCK = "MeterValueClock"
    METER_VALUE_PERIODIC = "MeterValuePeriodic"
    OPERATION_MODE_CHANGED = "OperationModeChanged"
    REMOTE_START = "RemoteStart"
    REMOTE_STOP = "RemoteStop"
    RESET_COMMAND = "ResetCommand"
    RUNNING_COST = "RunningCost"
    SIGNED_DATA_RECEIVED = "SignedDataReceived"
    SOC_LIMIT_REACHED = "SoCLimitReached"
    STOP_AUTHORIZED = "StopAuthorized"
    TARIFF_CHANGED = "TariffChanged"
    TIME_LIMIT_REACHED = "TimeLimitReached"
    TRIGGER = "Trigger"
    TX_RESUMED = "TxResumed"
    UNLOCK_COMMAND = "UnlockCommand"


def present(**fields: Any) -> Json:
    """Return the fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def single(value: float) -> float:
    """Return a number as a float of 32 bits holds it, as the real library does."""
    (rounded,) = struct.unpack("f", struct.pack("f", value))
    return float(rounded)


def numbers(value: Any) -> Any:
    """Return a value with every whole number as a float, for where they come so."""
    match value:
        case bool():
            return value
        case int():
            return float(value)
        case dict():
            return {name: numbers(one) for name, one in value.items()}
        case list():
            return [numbers(one) for one in value]
        case _:
            return value


@dataclass(kw_only=True, frozen=True, slots=True)
class IdToken:
    """Who wants to charge."""

    id_token: str
    type: str = "ISO14443"

    def wire(self) -> Json:
        """Return it as it goes over the wire."""
        return {"idToken": self.id_token, "type": self.type}

    @classmethod
    def read(cls, told: Json) -> IdToken:
        """Return what the wire says."""
        return cls(id_token=told["idToken"], type=told["type"])


@dataclass(kw_only=True, frozen=True, slots=True)
class SampledValue:
    """One number of the meter."""

    value: float
    measurand: str = "Energy.Active.Import.Register"
    phase: str | None = None
    unit: str | None = None
    multiplier: int | None = None
    location: str = "Outlet"
    signed: Json | None = None

    def wire(self, context: str) -> Json:
        """Return it as it goes over the wire."""
        unit = present(unit=self.unit, multiplier=self.multiplier)
        return present(
            context=context,
            location=self.location,
            measurand=self.measurand,
            phase=self.phase,
            signedMeterValue=self.signed,
            unitOfMeasure=unit or None,
            value=single(self.value),
        )


@dataclass(kw_only=True, frozen=True, slots=True)
class MeterValue:
    """What the meter said at one moment."""

    timestamp: datetime
    values: tuple[SampledValue, ...]

    def wire(self, measurands: list[str], context: str) -> Json | None:
        """Return those of the named measurands; None if there is none of them."""
        chosen = [
            one.wire(context) for one in self.values if one.measurand in measurands
        ]
        if not chosen:
            return None
        return {"sampledValue": chosen, "timestamp": stamp(self.timestamp)}

    def signed(self, text: str) -> MeterValue:
        """Return the same with a signature at the energy register."""
        described = {
            "encodingMethod": "OCMF",
            "publicKey": "",
            "signedMeterData": text,
            "signingMethod": "",
        }
        return replace(
            self,
            values=tuple(
                replace(one, signed=described)
                if one.measurand == "Energy.Active.Import.Register"
                else one
                for one in self.values
            ),
        )

    @property
    def energy(self) -> float | None:
        """Return the energy that was ever imported, in Wh."""
        return next(
            (
                one.value
                for one in self.values
                if one.measurand == "Energy.Active.Import.Register"
                and one.phase is None
            ),
            None,
        )


@dataclass(kw_only=True, frozen=True, slots=True)
class EventData:
    """Something that happened to a part of the station."""

    event_id: int
    timestamp: datetime
    component: Json
    variable: Json
    actual_value: str
    trigger: str = "Alerting"
    event_notification_type: str = "HardWiredNotification"
    cause: int | None = None
    cleared: bool | None = None
    monitor_id: int | None = None
    severity: int | None = None
    tech_code: str | None = None
    tech_info: str | None = None
    transaction_id: str | None = None

    def wire(self) -> Json:
        """Return it as it goes over the wire, fields of 2.1 included on 2.0.1."""
        return present(
            actualValue=self.actual_value,
            cause=self.cause,
            cleared=self.cleared,
            component=self.component,
            eventId=self.event_id,
            eventNotificationType=self.event_notification_type,
            severity=self.severity,
            techCode=self.tech_code,
            techInfo=self.tech_info,
            timestamp=stamp(self.timestamp),
            transactionId=self.transaction_id,
            trigger=self.trigger,
            variable=self.variable,
            variableMonitoringId=self.monitor_id,
        )


@dataclass(kw_only=True, frozen=True, slots=True)
class Get15118EVCertificateRequest:
    """What a vehicle asks for by way of its station (ISO 15118)."""

    action: str
    exi_request: str
    iso15118_schema_version: str

    def wire(self) -> Json:
        """Return it as it goes over the wire."""
        return {
            "action": self.action,
            "exiRequest": self.exi_request,
            "iso15118SchemaVersion": self.iso15118_schema_version,
        }


@dataclass(kw_only=True, frozen=True, slots=True)
class Get15118EVCertificateResponse:
    """What the vehicle gets."""

    status: str
    exi_response: str
