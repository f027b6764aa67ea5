"""Requests: what is said of files and certificates in every OCPP version."""

from typing import Any

from ..station.commands import CertificateHash, FirmwareRequest, LogRequest
from .timestamps import render

_MAX_CERTIFICATES = 100
_MAX_NAME = 255


def retries(request: FirmwareRequest | LogRequest) -> dict[str, Any]:
    """Return how often, and how far apart in s, a transfer is to be tried."""
    told = {"retries": request.retries, "retryInterval": request.retry_interval}
    return {name: value for name, value in told.items() if value is not None}


def span(request: LogRequest, since: str, until: str) -> dict[str, Any]:
    """Return from when until when a log is wanted, under the given names."""
    told = {since: request.since, until: request.until}
    return {name: render(at) for name, at in told.items() if at is not None}


def log_payload(request: LogRequest, kind: str) -> dict[str, Any]:
    """Return the payload of GetLog (1.6 Security 5.10, 2.0.1 N01)."""
    bounds = span(request, "oldestTimestamp", "latestTimestamp")
    return {
        "log": {"remoteLocation": request.location, **bounds},
        "logType": kind,
        "requestId": request.request_id,
        **retries(request),
    }


def file_name(told: object) -> str | None:
    """Return the name of the file that a station will upload, if it tells one."""
    return told[:_MAX_NAME] if isinstance(told, str) and told else None


def firmware_payload(request: FirmwareRequest) -> dict[str, Any]:
    """Return a Firmware (1.6 Security 4.4, 2.0.1 2.26), signed or not."""
    optional = {
        "installDateTime": request.install_at and render(request.install_at),
        "signingCertificate": request.certificate,
        "signature": request.signature,
    }
    return {
        "location": request.location,
        "retrieveDateTime": render(request.retrieve_at),
        **{name: value for name, value in optional.items() if value is not None},
    }


def hash_data(certificate: CertificateHash) -> dict[str, str]:
    """Return a CertificateHashData, in the station's own words."""
    return {
        "hashAlgorithm": certificate.algorithm,
        "issuerNameHash": certificate.issuer_name_hash,
        "issuerKeyHash": certificate.issuer_key_hash,
        "serialNumber": certificate.serial,
    }


def parse_hashes(listed: object) -> list[CertificateHash]:
    """Return what a list of CertificateHashData names."""
    lines = listed[:_MAX_CERTIFICATES] if isinstance(listed, list) else []
    return [
        CertificateHash(
            algorithm=str(line.get("hashAlgorithm", "")),
            issuer_name_hash=str(line.get("issuerNameHash", "")),
            issuer_key_hash=str(line.get("issuerKeyHash", "")),
            serial=str(line.get("serialNumber", "")),
        )
        for line in lines
        if isinstance(line, dict)
    ]
