"""Commands of OCPP 2.x: one message out, an outcome back."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from .outbound import OWN_TOKEN, Charger
from custom_components.ev_charger_hub.ocpp.errors import (
    CallError,
    CallInterrupted,
    CallTimeout,
    ErrorCode,
    InvalidAnswer,
)
from custom_components.ev_charger_hub.ocpp.v201.link import V201Link
from custom_components.ev_charger_hub.station.authorization import Verdict
from custom_components.ev_charger_hub.station.commands import (
    CertificateHash,
    CertificateUse,
    FirmwareRequest,
    InstalledCertificate,
    ListEntry,
    LogKind,
    LogRequest,
    ReservationRequest,
    SigningRequest,
)
from custom_components.ev_charger_hub.station.enums import AuthorizationStatus
from custom_components.ev_charger_hub.station.errors import (
    InvalidTransactionId,
    NotConnected,
)
from custom_components.ev_charger_hub.station.link import Capability, Limit, LinkKind
from custom_components.ev_charger_hub.station.outcome import Outcome, OutcomeStatus

type Command = Callable[[V201Link], Awaitable[Any]]

WHEN = datetime(2026, 11, 20, 10, tzinfo=UTC)
TEXT = "2026-11-20T10:00:00.000Z"
CARD = {"idToken": "04A1B2C3", "type": "ISO14443"}
HASH = CertificateHash(
    algorithm="SHA256", issuer_name_hash="aa", issuer_key_hash="bb", serial="01"
)
HASH_DATA = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "aa",
    "issuerKeyHash": "bb",
    "serialNumber": "01",
}
ALLOWED = Verdict(status=AuthorizationStatus.ACCEPTED, expires=WHEN, group="FAMILY")
FAMILY = {"idToken": "FAMILY", "type": "Central"}
RESERVATION = ReservationRequest(
    reservation_id=7, evse_id=1, id_token="04A1B2C3", expires=WHEN
)
FIRMWARE = FirmwareRequest(request_id=5, location="http://a/f", retrieve_at=WHEN)
LOG = LogRequest(request_id=6, kind=LogKind.DIAGNOSTICS, location="http://a/")

COMMANDS: list[tuple[Command, str, dict[str, Any]]] = [
    (
        lambda k: k.start_charging(1, OWN_TOKEN),
        "RequestStartTransaction",
        {
            "idToken": {"idToken": OWN_TOKEN, "type": "Central"},
            "remoteStartId": 1,
            "evseId": 1,
        },
    ),
    (
        # The only EVSE there is: libocpp refuses a start that names none.
        lambda k: k.start_charging(None, "04A1B2C3"),
        "RequestStartTransaction",
        {"idToken": CARD, "remoteStartId": 1, "evseId": 1},
    ),
    (
        lambda k: k.stop_charging("111021af-0d6a-40b2-9276-0e58023bc0a8"),
        "RequestStopTransaction",
        {"transactionId": "111021af-0d6a-40b2-9276-0e58023bc0a8"},
    ),
    (
        lambda k: k.unlock(1, 2),
        "UnlockConnector",
        {"evseId": 1, "connectorId": 2},
    ),
    (lambda k: k.reset(hard=True), "Reset", {"type": "Immediate"}),
    (lambda k: k.reset(hard=False), "Reset", {"type": "OnIdle"}),
    (
        lambda k: k.change_availability(0, operative=False),
        "ChangeAvailability",
        {"operationalStatus": "Inoperative"},
    ),
    (
        lambda k: k.change_availability(1, operative=True),
        "ChangeAvailability",
        {"operationalStatus": "Operative", "evse": {"id": 1}},
    ),
    (
        lambda k: k.change_availability(1, operative=True, connector_id=2),
        "ChangeAvailability",
        {"operationalStatus": "Operative", "evse": {"id": 1, "connectorId": 2}},
    ),
    (
        lambda k: k.trigger("Heartbeat", None),
        "TriggerMessage",
        {"requestedMessage": "Heartbeat"},
    ),
    (
        lambda k: k.trigger("MeterValues", 1),
        "TriggerMessage",
        {"requestedMessage": "MeterValues", "evse": {"id": 1}},
    ),
    (
        lambda k: k.trigger("StatusNotification", 1),
        "TriggerMessage",
        {
            "requestedMessage": "StatusNotification",
            "evse": {"id": 1, "connectorId": 1},
        },
    ),
    (
        lambda k: k.trigger("SignChargePointCertificate", None),
        "TriggerMessage",
        {"requestedMessage": "SignChargingStationCertificate"},
    ),
    (lambda k: k.clear_cache(), "ClearCache", {}),
    (lambda k: k.data_transfer("v", None, None), "DataTransfer", {"vendorId": "v"}),
    (
        lambda k: k.data_transfer("v", "m", "d"),
        "DataTransfer",
        {"vendorId": "v", "messageId": "m", "data": "d"},
    ),
    (lambda k: k.call("GetTransactionStatus", {}), "GetTransactionStatus", {}),
    (
        lambda k: k.send_local_list(
            3,
            [
                ListEntry(id_token="04A1B2C3", verdict=ALLOWED),
                ListEntry(id_token="FF", verdict=None),
            ],
            full=False,
        ),
        "SendLocalList",
        {
            "versionNumber": 3,
            "updateType": "Differential",
            "localAuthorizationList": [
                {
                    "idToken": CARD,
                    "idTokenInfo": {
                        "status": "Accepted",
                        "cacheExpiryDateTime": TEXT,
                        "groupIdToken": FAMILY,
                    },
                },
                {"idToken": {"idToken": "FF", "type": "Central"}},
            ],
        },
    ),
    (
        lambda k: k.send_local_list(4, [], full=True),
        "SendLocalList",
        {"versionNumber": 4, "updateType": "Full"},
    ),
    (
        lambda k: k.reserve(RESERVATION),
        "ReserveNow",
        {"id": 7, "expiryDateTime": TEXT, "idToken": CARD, "evseId": 1},
    ),
    (
        lambda k: k.reserve(replace(RESERVATION, evse_id=0, group="FAMILY")),
        "ReserveNow",
        {
            "id": 7,
            "expiryDateTime": TEXT,
            "idToken": CARD,
            "groupIdToken": FAMILY,
        },
    ),
    (lambda k: k.cancel_reservation(7), "CancelReservation", {"reservationId": 7}),
    (
        lambda k: k.update_firmware(FIRMWARE),
        "UpdateFirmware",
        {
            "requestId": 5,
            "firmware": {"location": "http://a/f", "retrieveDateTime": TEXT},
        },
    ),
    (
        lambda k: k.update_firmware(
            replace(
                FIRMWARE,
                install_at=WHEN,
                certificate="-----BEGIN",
                signature="c2ln",
                retries=3,
                retry_interval=60,
            )
        ),
        "UpdateFirmware",
        {
            "requestId": 5,
            "retries": 3,
            "retryInterval": 60,
            "firmware": {
                "location": "http://a/f",
                "retrieveDateTime": TEXT,
                "installDateTime": TEXT,
                "signingCertificate": "-----BEGIN",
                "signature": "c2ln",
            },
        },
    ),
    (
        lambda k: k.get_log(LOG),
        "GetLog",
        {
            "requestId": 6,
            "logType": "DiagnosticsLog",
            "log": {"remoteLocation": "http://a/"},
        },
    ),
    (
        lambda k: k.get_log(
            replace(LOG, kind=LogKind.SECURITY, since=WHEN, until=WHEN, retries=1)
        ),
        "GetLog",
        {
            "requestId": 6,
            "logType": "SecurityLog",
            "retries": 1,
            "log": {
                "remoteLocation": "http://a/",
                "oldestTimestamp": TEXT,
                "latestTimestamp": TEXT,
            },
        },
    ),
    (
        lambda k: k.install_certificate(CertificateUse.CENTRAL_SYSTEM_ROOT, "PEM"),
        "InstallCertificate",
        {"certificateType": "CSMSRootCertificate", "certificate": "PEM"},
    ),
    (
        lambda k: k.delete_certificate(HASH),
        "DeleteCertificate",
        {"certificateHashData": HASH_DATA},
    ),
    (
        lambda k: k.certificate_signed("PEM", SigningRequest(csr="CSR")),
        "CertificateSigned",
        {
            "certificateChain": "PEM",
            "certificateType": "ChargingStationCertificate",
        },
    ),
]


@pytest.mark.conformance(
    "TC_C_37_CSMS",
    "TC_D_02_CSMS",
    "TC_D_03_CSMS",
    "TC_D_04_CSMS",
    "TC_F_06_CSMS",
    "TC_F_11_CSMS",
    "TC_F_20_CSMS",
    "TC_F_23_CSMS",
    "TC_G_03_CSMS",
    "TC_G_04_CSMS",
    "TC_G_05_CSMS",
    "TC_G_06_CSMS",
    "TC_G_07_CSMS",
    "TC_G_08_CSMS",
    "TC_H_08_CSMS",
    "TC_H_17_CSMS",
    "TC_M_01_CSMS",
    "TC_M_20_CSMS",
)
@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
@pytest.mark.parametrize(("command", "action", "payload"), COMMANDS)
async def test_a_command_is_one_message(
    command: Command, action: str, payload: dict[str, Any], version: str
) -> None:
    charger = Charger(version)
    told = await command(charger.link)
    assert charger.calls == [(action, payload)]
    outcome = told[0] if isinstance(told, tuple) else told
    assert outcome.status is OutcomeStatus.ACCEPTED


@pytest.mark.conformance(
    "TC_F_27_CSMS",
    "TC_H_22_CSMS",
)
@pytest.mark.parametrize(
    ("command", "action", "answer", "status"),
    [
        (
            lambda k: k.start_charging(1, "T"),
            "RequestStartTransaction",
            "Rejected",
            "rejected",
        ),
        (lambda k: k.unlock(1, 1), "UnlockConnector", "Unlocked", "accepted"),
        (
            lambda k: k.unlock(1, 1),
            "UnlockConnector",
            "OngoingAuthorizedTransaction",
            "rejected",
        ),
        (
            lambda k: k.change_availability(1, operative=False),
            "ChangeAvailability",
            "Scheduled",
            "scheduled",
        ),
        (lambda k: k.reset(hard=False), "Reset", "Scheduled", "scheduled"),
        (
            lambda k: k.update_firmware(FIRMWARE),
            "UpdateFirmware",
            "AcceptedCanceled",
            "accepted",
        ),
        (
            lambda k: k.update_firmware(FIRMWARE),
            "UpdateFirmware",
            "InvalidCertificate",
            "rejected",
        ),
        (
            lambda k: k.trigger("Heartbeat", None),
            "TriggerMessage",
            "NotImplemented",
            "not_supported",
        ),
        (lambda k: k.reserve(RESERVATION), "ReserveNow", "Occupied", "rejected"),
    ],
)
async def test_the_answer_decides_the_outcome(
    command: Command, action: str, answer: str, status: str
) -> None:
    charger = Charger()
    charger.answers[action] = {"status": answer}
    outcome = await command(charger.link)
    assert (outcome.status, outcome.answer) == (status, answer)


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (CallTimeout("no answer"), OutcomeStatus.TIMED_OUT),
        (CallInterrupted("gone"), OutcomeStatus.NO_ANSWER),
        (
            CallError(ErrorCode.NOT_IMPLEMENTED, "NotImplemented", ""),
            OutcomeStatus.NOT_SUPPORTED,
        ),
        (
            CallError(ErrorCode.FORMAT_VIOLATION, "FormationViolation", ""),
            OutcomeStatus.REJECTED,
        ),
    ],
)
async def test_every_failure_after_sending_is_an_outcome(
    failure: Exception, status: OutcomeStatus
) -> None:
    charger = Charger()
    charger.answers["ClearCache"] = failure
    assert (await charger.link.clear_cache()).status is status


async def test_why_a_charger_refuses_is_told() -> None:
    charger = Charger()
    charger.answers["Reset"] = {
        "status": "Rejected",
        "statusInfo": {"reasonCode": "TxInProgress", "additionalInfo": "later"},
    }
    outcome = await charger.link.reset(hard=True)
    assert outcome.detail == "TxInProgress: later"


async def test_not_connected_is_raised_only_when_nothing_was_sent() -> None:
    charger = Charger()
    charger.online = False
    assert not charger.link.connected
    with pytest.raises(NotConnected):
        await charger.link.clear_cache()
    assert charger.calls == []


@pytest.mark.parametrize("transaction_id", ["", "x" * 37, "easee-17"])
async def test_a_transaction_id_that_cannot_be_is_refused_without_a_message(
    transaction_id: str,
) -> None:
    charger = Charger()
    with pytest.raises(InvalidTransactionId):
        await charger.link.stop_charging(transaction_id)
    assert charger.calls == []


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("04A1B2C3", "ISO14443"),
        ("04a1b2c3d4e5f6", "ISO14443"),
        ("04A1B2C3D4E5F6071819", "ISO14443"),
        ("E004010012345678", "ISO15693"),
        ("A0B1C2D3E4F5", "MacAddress"),
        ("DE-ABC-C12345678-9", "eMAID"),
        ("NL8ACC12345678X", "eMAID"),
        ("the-app-of-mine", "Central"),
        (OWN_TOKEN, "Central"),
    ],
)
async def test_the_type_of_a_token_follows_from_its_look(token: str, kind: str) -> None:
    charger = Charger()
    await charger.link.start_charging(1, token)
    [payload] = charger.sent("RequestStartTransaction")
    assert payload["idToken"] == {"idToken": token, "type": kind}


async def test_no_two_starts_have_the_same_number() -> None:
    charger = Charger()
    await charger.link.start_charging(1, OWN_TOKEN)
    await charger.restart_hub()
    await charger.link.start_charging(1, OWN_TOKEN)
    starts = charger.sent("RequestStartTransaction")
    assert [one["remoteStartId"] for one in starts] == [1, 2]


async def test_a_start_anywhere_names_no_evse_if_there_are_several() -> None:
    charger = Charger()
    charger.station.evse(2)
    await charger.link.start_charging(None, OWN_TOKEN)
    [payload] = charger.sent("RequestStartTransaction")
    assert "evseId" not in payload


async def test_a_start_with_a_limit_carries_a_tx_profile_that_is_set_once_more() -> (
    None
):
    charger = Charger()
    await charger.learn()
    await charger.link.start_charging(1, OWN_TOKEN, Limit(value=Decimal(10)))
    [payload] = charger.sent("RequestStartTransaction")
    profile = payload["chargingProfile"]
    assert profile["chargingProfilePurpose"] == "TxProfile"
    assert "transactionId" not in profile
    [schedule] = profile["chargingSchedule"]
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 10}]
    transaction = charger.begin("abc")
    transaction.id_token = OWN_TOKEN
    charger.start_answered(transaction)
    await charger.time.advance(30)
    await charger.settle()
    set_again = charger.sent("SetChargingProfile")[0]
    assert set_again["evseId"] == 1
    assert set_again["chargingProfile"]["transactionId"] == "abc"
    [schedule] = set_again["chargingProfile"]["chargingSchedule"]
    assert schedule["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 10}]


async def test_the_status_of_every_connector_is_asked_for() -> None:
    charger = Charger()
    charger.station.evse(1).connector(1)
    charger.station.evse(1).connector(2)
    assert (await charger.link.trigger("StatusNotification", 1)).ok
    assert [one["evse"] for one in charger.sent("TriggerMessage")] == [
        {"id": 1, "connectorId": 1},
        {"id": 1, "connectorId": 2},
    ]


@pytest.mark.conformance("TC_D_08_CSMS")
@pytest.mark.parametrize("field", ["versionNumber", "listVersion"])
async def test_the_version_of_the_list_is_read_by_either_name(field: str) -> None:
    charger = Charger()
    answer: Any = {field: 4}
    if field == "listVersion":
        answer = InvalidAnswer("versionNumber missing", answer)
    charger.answers["GetLocalListVersion"] = answer
    outcome, version = await charger.link.local_list_version()
    assert outcome.ok
    assert version == 4


@pytest.mark.conformance("TC_M_12_CSMS")
async def test_installed_certificates_of_another_use_are_not_told() -> None:
    charger = Charger()
    root = {"certificateType": "CSMSRootCertificate", "certificateHashData": HASH_DATA}
    other = {**root, "certificateType": "V2GRootCertificate"}
    charger.answers["GetInstalledCertificateIds"] = {
        "status": "Accepted",
        "certificateHashDataChain": [other, root],
    }
    use = CertificateUse.CENTRAL_SYSTEM_ROOT
    told = await charger.link.installed_certificates([use])
    assert told[1] == [InstalledCertificate(use=use, certificate=HASH)]
    assert charger.calls == [
        ("GetInstalledCertificateIds", {"certificateType": ["CSMSRootCertificate"]})
    ]


async def test_a_certificate_is_brought_as_it_was_asked_for() -> None:
    charger = Charger("2.1")
    request = SigningRequest(csr="CSR", combined=True, number=7)
    assert (await charger.link.certificate_signed("PEM", request)).ok
    assert charger.calls == [
        ("CertificateSigned", {"certificateChain": "PEM", "requestId": 7})
    ]


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
async def test_what_a_version_does_not_know_is_not_asked_for(version: str) -> None:
    charger = Charger(version)
    charger.answers["GetInstalledCertificateIds"] = {"status": "NotFound"}
    oem = CertificateUse.OEM_ROOT
    assert (await charger.link.install_certificate(oem, "PEM")).ok == (version == "2.1")
    outcome, _ = await charger.link.installed_certificates([oem])
    assert outcome.ok == (version == "2.1")


async def test_a_password_is_sent_as_it_is() -> None:
    charger = Charger()
    charger.variables["SecurityCtrlr.BasicAuthPassword"] = ""
    assert (await charger.link.set_password("Kx7mPq2nRt9wYz4bCd6e")).ok
    value = charger.variables["SecurityCtrlr.BasicAuthPassword"]
    assert value == "Kx7mPq2nRt9wYz4bCd6e"


@pytest.mark.conformance("TC_M_19_CSMS")
async def test_that_there_are_no_certificates_is_no_error() -> None:
    charger = Charger()
    charger.answers["GetInstalledCertificateIds"] = {"status": "NotFound"}
    outcome, found = await charger.link.installed_certificates(
        [CertificateUse.MANUFACTURER_ROOT]
    )
    assert outcome.ok
    assert found == []


async def test_the_name_of_a_log_is_told() -> None:
    charger = Charger()
    charger.answers["GetLog"] = {"status": "Accepted", "filename": "lab.log"}
    assert (await charger.link.get_log(LOG))[1] == "lab.log"


async def test_the_name_of_a_log_is_bounded() -> None:
    charger = Charger()
    charger.answers["GetLog"] = {"status": "Accepted", "filename": "x" * 5000}
    assert (await charger.link.get_log(LOG))[1] == "x" * 255


async def test_what_a_charger_clearly_cannot_do_is_not_offered() -> None:
    charger = Charger()
    assert charger.link.kind is LinkKind.OCPP
    newer = {
        Capability.BATTERY_SWAP,
        Capability.FLEXIBLE,
        Capability.GRID,
        Capability.TWO_WAY,
    }
    missing = {Capability.LIMIT, Capability.PHASES, Capability.SINGLE_LIMIT, *newer}
    everything = frozenset(Capability) - missing
    assert charger.link.capabilities == everything
    charger.variables["SmartChargingCtrlr.ACPhaseSwitchingSupported"] = "true"
    await charger.learn()
    assert charger.link.capabilities == everything | {Capability.PHASES}
    charger.variables["SmartChargingCtrlr.Enabled"] = "false"
    charger.variables["ReservationCtrlr.Available"] = "false"
    await charger.learn()
    assert charger.link.capabilities == everything - {
        Capability.PROFILES,
        Capability.RESERVATION,
    }


async def test_local_list_support_is_read_from_the_variables() -> None:
    charger = Charger()
    assert charger.link.local_list_support.supported is None
    charger.variables |= {
        "LocalAuthListCtrlr.Entries": "0",
        "LocalAuthListCtrlr.ItemsPerMessage": "20",
        "LocalAuthListCtrlr.BytesPerMessage": "1000",
    }
    charger.described["LocalAuthListCtrlr.Entries"] = {"maxLimit": 100}
    await charger.learn()
    support = charger.link.local_list_support
    assert support.supported
    assert support.enabled
    assert support.max_entries == 100
    assert support.max_per_message == 4
    assert support.max_token == 36


async def test_the_ways_to_upload_are_read_from_the_variables() -> None:
    charger = Charger()
    assert charger.link.file_transfers is None
    charger.variables["OCPPCommCtrlr.FileTransferProtocols"] = "ftp,HTTPS"
    await charger.learn()
    assert charger.link.file_transfers == {"FTP", "HTTPS"}


@pytest.mark.parametrize("name", ["set_limit", "clear_limit"])
async def test_limits_go_by_profiles_only(name: str) -> None:
    charger = Charger()
    limit = Limit(value=Decimal(10))
    outcome: Outcome = await (
        charger.link.set_limit(1, limit)
        if name == "set_limit"
        else charger.link.clear_limit(1)
    )
    assert outcome.status is OutcomeStatus.NOT_SUPPORTED
    assert charger.calls == []
