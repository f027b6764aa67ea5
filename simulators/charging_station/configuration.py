"""Configuration keys of the virtual station (OCPP 1.6 chapter 9)."""

from dataclasses import dataclass

from .vendors import VendorProfile


@dataclass(kw_only=True, slots=True)
class Key:
    """One configuration key; `value` None is write-only."""

    value: str | None
    readonly: bool = False
    reboot: bool = False


def configuration(vendor: VendorProfile, connectors: int) -> dict[str, Key]:
    """Return the keys that a charger of this kind has after unpacking."""
    keys = {
        "AllowOfflineTxForUnknownId": Key(value="true"),
        "AuthorizationCacheEnabled": Key(value="true"),
        "AuthorizationKey": Key(value=None),
        "AuthorizeRemoteTxRequests": Key(value="false"),
        "ChargeProfileMaxStackLevel": Key(
            value=str(vendor.max_stack_level), readonly=True
        ),
        "ChargingScheduleAllowedChargingRateUnit": Key(
            value=",".join(vendor.rate_units), readonly=True
        ),
        "ChargingScheduleMaxPeriods": Key(value=str(vendor.max_periods), readonly=True),
        "ClockAlignedDataInterval": Key(value="0"),
        "ConnectionTimeOut": Key(value="60"),
        "ConnectorPhaseRotation": Key(value="0.RST,1.RST"),
        "GetConfigurationMaxKeys": Key(value="50", readonly=True),
        "HeartbeatInterval": Key(value="300"),
        "LocalAuthorizeOffline": Key(value="true"),
        "LocalPreAuthorize": Key(value="false"),
        "MaxChargingProfilesInstalled": Key(
            value=str(vendor.max_profiles), readonly=True
        ),
        "MeterValueSampleInterval": Key(value="60"),
        "MeterValuesAlignedData": Key(value="Energy.Active.Import.Register"),
        "MeterValuesSampledData": Key(value="Energy.Active.Import.Register"),
        "NumberOfConnectors": Key(value=str(connectors), readonly=True),
        "ResetRetries": Key(value="3"),
        "StopTransactionOnEVSideDisconnect": Key(value="true"),
        "StopTransactionOnInvalidId": Key(value="true"),
        "StopTxnAlignedData": Key(value=""),
        "StopTxnSampledData": Key(value="Energy.Active.Import.Register"),
        "SupportedFeatureProfiles": Key(value=",".join(vendor.features), readonly=True),
        "TransactionMessageAttempts": Key(value="3"),
        "TransactionMessageRetryInterval": Key(value="10"),
        "UnlockConnectorOnEVSideDisconnect": Key(value="true"),
        "WebSocketPingInterval": Key(value="60", reboot=True),
    }
    if "LocalAuthListManagement" in vendor.features:
        keys |= {
            "LocalAuthListEnabled": Key(value="true"),
            "LocalAuthListMaxLength": Key(value=str(vendor.list_length), readonly=True),
            "SendLocalListMaxLength": Key(
                value=str(vendor.list_message_length), readonly=True
            ),
        }
    if "Reservation" in vendor.features:
        keys["ReserveConnectorZeroSupported"] = Key(value="true", readonly=True)
    if vendor.security:
        keys |= security_keys()
    for name in vendor.missing_keys:
        del keys[name]
    keys |= {
        name: Key(value=value, readonly=True)
        for name, value in vendor.extra_keys.items()
    }
    return keys


def security_keys() -> dict[str, Key]:
    """Return the keys of the security extensions (Security A.1)."""
    return {
        "AdditionalRootCertificateCheck": Key(value="false", readonly=True),
        "CertificateSignedMaxChainSize": Key(value="10000", readonly=True),
        "CertificateStoreMaxLength": Key(value="10", readonly=True),
        "CpoName": Key(value=""),
        "SecurityProfile": Key(value="0"),
    }
