"""Observations: what the cloud knows of a product, by number, and how it is written."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from .clock import stamp

type Value = bool | float | int | str


class DataType(IntEnum):
    """How a value is to be read."""

    BINARY = 1
    BOOLEAN = 2
    DOUBLE = 3
    INTEGER = 4
    POSITION = 5
    STRING = 6
    STATISTICS = 7


CHARGER: dict[int, tuple[str, DataType]] = {
    1: ("selfTestResult", DataType.STRING),
    2: ("selfTestDetails", DataType.STRING),
    5: ("debugLog", DataType.STRING),
    10: ("wifiEvent", DataType.INTEGER),
    11: ("chargerOfflineReason", DataType.INTEGER),
    13: ("easeeLinkCommandResponse", DataType.INTEGER),
    14: ("easeeLinkDataReceived", DataType.INTEGER),
    15: ("localPreAuthorizeEnabled", DataType.BOOLEAN),
    16: ("localAuthorizeOfflineEnabled", DataType.BOOLEAN),
    17: ("allowOfflineTxForUnknownId", DataType.BOOLEAN),
    18: ("erraticEVMaxToggles", DataType.INTEGER),
    19: ("backplateType", DataType.INTEGER),
    20: ("siteStructure", DataType.STRING),
    21: ("detectedPowerGridType", DataType.INTEGER),
    22: ("circuitMaxCurrentP1", DataType.DOUBLE),
    23: ("circuitMaxCurrentP2", DataType.DOUBLE),
    24: ("circuitMaxCurrentP3", DataType.DOUBLE),
    25: ("location", DataType.POSITION),
    26: ("siteIDString", DataType.STRING),
    27: ("siteIDNumeric", DataType.INTEGER),
    28: ("rfidAuthTimeoutSec", DataType.INTEGER),
    30: ("lockCablePermanently", DataType.BOOLEAN),
    31: ("isEnabled", DataType.BOOLEAN),
    32: ("temperatureMonitorState", DataType.INTEGER),
    33: ("circuitSequenceNumber", DataType.INTEGER),
    34: ("singlePhaseNumber", DataType.INTEGER),
    35: ("enable3PhasesDEPRECATED", DataType.BOOLEAN),
    36: ("wiFiSSID", DataType.STRING),
    37: ("enableIdleCurrent", DataType.BOOLEAN),
    38: ("phaseMode", DataType.INTEGER),
    39: ("forcedThreePhaseOnITWithGndFault", DataType.BOOLEAN),
    40: ("ledStripBrightness", DataType.INTEGER),
    41: ("localAuthorizationRequired", DataType.BOOLEAN),
    42: ("authorizationRequired", DataType.BOOLEAN),
    43: ("remoteStartRequired", DataType.BOOLEAN),
    44: ("smartButtonEnabled", DataType.BOOLEAN),
    45: ("offlineChargingMode", DataType.INTEGER),
    46: ("ledMode", DataType.INTEGER),
    47: ("maxChargerCurrent", DataType.DOUBLE),
    48: ("dynamicChargerCurrent", DataType.DOUBLE),
    50: ("offlineMaxCircuitCurrentP1", DataType.INTEGER),
    51: ("offlineMaxCircuitCurrentP2", DataType.INTEGER),
    52: ("offlineMaxCircuitCurrentP3", DataType.INTEGER),
    54: ("releaseCableAtPowerOff", DataType.BOOLEAN),
    56: ("listenToControlPulse", DataType.BOOLEAN),
    57: ("controlPulseRTT", DataType.INTEGER),
    60: ("chargingSessionSigned", DataType.STRING),
    62: ("chargingSchedule", DataType.STRING),
    65: ("pairedEqualizer", DataType.STRING),
    68: ("wiFiAPEnabled", DataType.BOOLEAN),
    69: ("pairedUserIDToken", DataType.STRING),
    70: ("circuitTotalAllocatedPhaseConductorCurrentL1", DataType.DOUBLE),
    71: ("circuitTotalAllocatedPhaseConductorCurrentL2", DataType.DOUBLE),
    72: ("circuitTotalAllocatedPhaseConductorCurrentL3", DataType.DOUBLE),
    73: ("circuitTotalPhaseConductorCurrentL1", DataType.DOUBLE),
    74: ("circuitTotalPhaseConductorCurrentL2", DataType.DOUBLE),
    75: ("circuitTotalPhaseConductorCurrentL3", DataType.DOUBLE),
    76: ("numberOfCarsConnected", DataType.INTEGER),
    77: ("numberOfCarsCharging", DataType.INTEGER),
    78: ("numberOfCarsInQueue", DataType.INTEGER),
    79: ("numberOfCarsFullyCharged", DataType.INTEGER),
    80: ("chargerFirmware", DataType.INTEGER),
    81: ("ICCID", DataType.STRING),
    82: ("modemFwId", DataType.STRING),
    83: ("OTAErrorCode", DataType.INTEGER),
    84: ("mobileNetworkOperator", DataType.STRING),
    89: ("rebootReason", DataType.INTEGER),
    90: ("powerPCBVersion", DataType.INTEGER),
    91: ("comPCBVersion", DataType.INTEGER),
    96: ("reasonForNoCurrent", DataType.INTEGER),
    97: ("loadBalancingNumberOfConnectedChargers", DataType.INTEGER),
    98: ("UDPNumOfConnectedNodes", DataType.INTEGER),
    99: ("localConnection", DataType.INTEGER),
    100: ("pilotMode", DataType.STRING),
    101: ("carConnectedDEPRECATED", DataType.BOOLEAN),
    102: ("smartCharging", DataType.BOOLEAN),
    103: ("cableLocked", DataType.BOOLEAN),
    104: ("cableRating", DataType.DOUBLE),
    105: ("pilotHigh", DataType.DOUBLE),
    106: ("pilotLow", DataType.DOUBLE),
    107: ("backPlateID", DataType.STRING),
    108: ("userIDTokenReversed", DataType.STRING),
    109: ("chargerOpMode", DataType.INTEGER),
    110: ("outputPhase", DataType.INTEGER),
    111: ("dynamicCircuitCurrentP1", DataType.DOUBLE),
    112: ("dynamicCircuitCurrentP2", DataType.DOUBLE),
    113: ("dynamicCircuitCurrentP3", DataType.DOUBLE),
    114: ("outputCurrent", DataType.DOUBLE),
    115: ("deratedCurrent", DataType.DOUBLE),
    116: ("deratingActive", DataType.BOOLEAN),
    117: ("debugString", DataType.STRING),
    118: ("errorString", DataType.STRING),
    119: ("errorCode", DataType.INTEGER),
    120: ("totalPower", DataType.DOUBLE),
    121: ("sessionEnergy", DataType.DOUBLE),
    122: ("energyPerHour", DataType.DOUBLE),
    123: ("legacyEvStatus", DataType.INTEGER),
    124: ("lifetimeEnergy", DataType.DOUBLE),
    125: ("lifetimeRelaySwitches", DataType.INTEGER),
    126: ("lifetimeHours", DataType.INTEGER),
    127: ("dynamicCurrentOfflineFallbackDEPRICATED", DataType.INTEGER),
    128: ("userIDToken", DataType.STRING),
    129: ("chargingSession", DataType.STRING),
    130: ("cellRSSI", DataType.INTEGER),
    131: ("CellRAT", DataType.INTEGER),
    132: ("wiFiRSSI", DataType.INTEGER),
    133: ("cellAddress", DataType.STRING),
    134: ("wiFiAddress", DataType.STRING),
    135: ("wiFiType", DataType.STRING),
    136: ("localRSSI", DataType.INTEGER),
    137: ("masterBackPlateID", DataType.STRING),
    138: ("localTxPower", DataType.INTEGER),
    139: ("localState", DataType.STRING),
    140: ("foundWiFi", DataType.STRING),
    141: ("chargerRAT", DataType.INTEGER),
    142: ("cellularInterfaceErrorCount", DataType.INTEGER),
    143: ("cellularInterfaceResetCount", DataType.INTEGER),
    144: ("wifiInterfaceErrorCount", DataType.INTEGER),
    145: ("wifiInterfaceResetCount", DataType.INTEGER),
    146: ("localNodeType", DataType.INTEGER),
    147: ("localRadioChannel", DataType.INTEGER),
    148: ("localShortAddress", DataType.INTEGER),
    149: ("localParentAddrOrNumOfNodes", DataType.INTEGER),
    150: ("tempMax", DataType.DOUBLE),
    151: ("tempAmbientPowerBoard", DataType.DOUBLE),
    152: ("tempInputT2", DataType.DOUBLE),
    153: ("tempInputT3", DataType.DOUBLE),
    154: ("tempInputT4", DataType.DOUBLE),
    155: ("tempInputT5", DataType.DOUBLE),
    160: ("tempOutputN", DataType.DOUBLE),
    161: ("tempOutputL1", DataType.DOUBLE),
    162: ("tempOutputL2", DataType.DOUBLE),
    163: ("tempOutputL3", DataType.DOUBLE),
    164: ("tempRelayN", DataType.INTEGER),
    165: ("tempRelayL", DataType.INTEGER),
    166: ("tempPowerBoardTop", DataType.INTEGER),
    170: ("tempAmbient", DataType.DOUBLE),
    171: ("lightAmbient", DataType.INTEGER),
    172: ("intRelHumidity", DataType.INTEGER),
    173: ("backPlateLocked", DataType.BOOLEAN),
    174: ("currentMotor", DataType.DOUBLE),
    175: ("backPlateHallSensor", DataType.INTEGER),
    182: ("inCurrentT2", DataType.DOUBLE),
    183: ("inCurrentT3", DataType.DOUBLE),
    184: ("inCurrentT4", DataType.DOUBLE),
    185: ("inCurrentT5", DataType.DOUBLE),
    190: ("inVoltageT1T2", DataType.DOUBLE),
    191: ("inVoltageT1T3", DataType.DOUBLE),
    192: ("inVoltageT1T4", DataType.DOUBLE),
    193: ("inVoltageT1T5", DataType.DOUBLE),
    194: ("inVoltageT2T3", DataType.DOUBLE),
    195: ("inVoltageT2T4", DataType.DOUBLE),
    196: ("inVoltageT2T5", DataType.DOUBLE),
    197: ("inVoltageT3T4", DataType.DOUBLE),
    198: ("inVoltageT3T5", DataType.DOUBLE),
    199: ("inVoltageT4T5", DataType.DOUBLE),
    200: ("nominalVoltage", DataType.INTEGER),
    202: ("outVoltPin1to2", DataType.DOUBLE),
    203: ("outVoltPin1to3", DataType.DOUBLE),
    204: ("outVoltPin1to4", DataType.DOUBLE),
    205: ("outVoltPin1to5", DataType.DOUBLE),
    206: ("outVoltPin2to3", DataType.DOUBLE),
    210: ("voltLevel33", DataType.DOUBLE),
    211: ("voltLevel5", DataType.DOUBLE),
    212: ("voltLevel12", DataType.DOUBLE),
    219: ("fatalErrorCode", DataType.INTEGER),
    220: ("LTERSRP", DataType.INTEGER),
    221: ("LTESINR", DataType.INTEGER),
    222: ("LTERSRQ", DataType.INTEGER),
    223: ("chargingSessionStart", DataType.STRING),
    230: ("eqAvailableCurrentP1", DataType.DOUBLE),
    231: ("eqAvailableCurrentP2", DataType.DOUBLE),
    232: ("eqAvailableCurrentP3", DataType.DOUBLE),
    240: ("diagnosticsString", DataType.STRING),
    241: ("wiFiMACAddress", DataType.STRING),
    250: ("connectedToCloud", DataType.BOOLEAN),
    251: ("cloudDisconnectReason", DataType.STRING),
}
"""Names and types of a charger's observations."""

EQUALIZER: dict[int, tuple[str, DataType]] = {
    1: ("selfTestResult", DataType.STRING),
    2: ("selfTestDetails", DataType.STRING),
    13: ("easeeLinkCommandResponse", DataType.INTEGER),
    14: ("easeeLinkDataReceived", DataType.INTEGER),
    19: ("siteIDNumeric", DataType.INTEGER),
    20: ("siteStructure", DataType.STRING),
    21: ("softwareRelease", DataType.INTEGER),
    23: ("deviceMode", DataType.INTEGER),
    25: ("meterType", DataType.STRING),
    26: ("meterId", DataType.STRING),
    27: ("OBISListIdentifier", DataType.STRING),
    29: ("gridType", DataType.INTEGER),
    30: ("numPhases", DataType.INTEGER),
    31: ("currentL1", DataType.DOUBLE),
    32: ("currentL2", DataType.DOUBLE),
    33: ("currentL3", DataType.DOUBLE),
    34: ("voltageNL1", DataType.DOUBLE),
    35: ("voltageNL2", DataType.DOUBLE),
    36: ("voltageNL3", DataType.DOUBLE),
    37: ("voltageL1L2", DataType.DOUBLE),
    38: ("voltageL1L3", DataType.DOUBLE),
    39: ("voltageL2L3", DataType.DOUBLE),
    40: ("activePowerImport", DataType.DOUBLE),
    41: ("activePowerExport", DataType.DOUBLE),
    42: ("reactivePowerImport", DataType.DOUBLE),
    43: ("reactivePowerExport", DataType.DOUBLE),
    44: ("maxPowerImport", DataType.DOUBLE),
    45: ("cumulativeActivePowerImport", DataType.DOUBLE),
    46: ("cumulativeActivePowerExport", DataType.DOUBLE),
    47: ("cumulativeReactivePowerImport", DataType.DOUBLE),
    48: ("cumulativeReactivePowerExport", DataType.DOUBLE),
    49: ("clockAndDateMeter", DataType.STRING),
    50: ("rcpi", DataType.DOUBLE),
    51: ("ssid", DataType.STRING),
    55: ("masterBackPlateID", DataType.STRING),
    56: ("equalizerID", DataType.STRING),
    57: ("childConfigReport", DataType.STRING),
    58: ("childConnectivityReport", DataType.STRING),
    60: ("exceptionData", DataType.STRING),
    61: ("bootReason", DataType.STRING),
    64: ("highCurrentTransitions", DataType.INTEGER),
    65: ("vCap", DataType.DOUBLE),
    66: ("vBusMin", DataType.DOUBLE),
    67: ("vBusMax", DataType.DOUBLE),
    68: ("internalTemperature", DataType.DOUBLE),
    69: ("meterDataSnapshot", DataType.STRING),
    70: ("localRSSI", DataType.INTEGER),
    71: ("localTxPower", DataType.INTEGER),
    72: ("localRadioChannel", DataType.INTEGER),
    73: ("localShortAddress", DataType.INTEGER),
    74: ("localNodeType", DataType.INTEGER),
    75: ("localParentAddress", DataType.INTEGER),
    80: ("circuitPhaseMapping", DataType.STRING),
    81: ("phaseMappingReport", DataType.STRING),
    82: ("phaseLearningStatus", DataType.STRING),
    85: ("modbusConfiguration", DataType.STRING),
    86: ("loadbalanceThrottle", DataType.INTEGER),
    87: ("availableCurrentL1", DataType.DOUBLE),
    88: ("availableCurrentL2", DataType.DOUBLE),
    89: ("availableCurrentL3", DataType.DOUBLE),
    90: ("meterErrors", DataType.INTEGER),
    91: ("APMacAddress", DataType.STRING),
    92: ("wifiReconnects", DataType.INTEGER),
    100: ("ledMode", DataType.INTEGER),
    105: ("equalizedChargeCurrentL1", DataType.DOUBLE),
    106: ("equalizedChargeCurrentL2", DataType.DOUBLE),
    107: ("equalizedChargeCurrentL3", DataType.DOUBLE),
    110: ("currentTransformerConfig", DataType.STRING),
    111: ("meterEncryptionStatus", DataType.STRING),
    115: ("surplusCharging", DataType.STRING),
    120: ("connectedAmps", DataType.STRING),
    250: ("connectedToCloud", DataType.BOOLEAN),
    251: ("cloudDisconnectReason", DataType.STRING),
}
"""Those of an equalizer: the same numbers mean something else."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """A value of a product, and when it was measured there."""

    id: int
    data_type: int
    value: Value
    at: datetime

    def text(self) -> str:
        """Return the value as the stream writes it: always as text."""
        match self.value:
            case bool():
                return "1" if self.value else "0"
            case float():
                return format(self.value, ".10g")
        return str(self.value)

    def update(self, serial: str) -> dict[str, Any]:
        """Return the argument of a ProductUpdate."""
        return {
            "mid": serial,
            "dataType": int(self.data_type),
            "id": self.id,
            "timestamp": stamp(self.at),
            "value": self.text(),
        }

    def state(self) -> dict[str, Any]:
        """Return what the state API says, where a value has its type."""
        return {
            "id": self.id,
            "value": self.value,
            "dataType": int(self.data_type),
            "timestamp": stamp(self.at),
        }


def camel(name: str) -> str:
    """Return a name of an observation as the older REST endpoints write it."""
    return name[0].lower() + name[1:] if not name[:2].isupper() else name
