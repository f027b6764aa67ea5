"""Signatures of firmware: what a station would refuse anyway is not sent to it."""

from base64 import b64decode
from datetime import datetime
from enum import StrEnum
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509 import Certificate, load_pem_x509_certificates

MAX_CERTIFICATE: Final = 5500
MAX_SIGNATURE: Final = 800
"""Characters that a message has room for (OCPP 1.6 Security, FirmwareType)."""

_RSA_BITS = 2048
_CURVE_BITS = 224


class SignatureProblem(StrEnum):
    """Why a signed update cannot work."""

    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_UNREADABLE = "certificate_unreadable"
    CERTIFICATE_WEAK = "certificate_weak"
    SIGNATURE_MISMATCH = "signature_mismatch"
    SIGNATURE_UNREADABLE = "signature_unreadable"


def check_signature(
    certificate: str, signature: str, now: datetime
) -> SignatureProblem | None:
    """Return what is wrong with a signing certificate (PEM) or a signature (base64).

    Whether the signature is that of the file, only who has the file can tell.
    """
    try:
        first, *_ = load_pem_x509_certificates(certificate.encode())
        key = first.public_key()
    except ValueError, UnsupportedAlgorithm:
        return SignatureProblem.CERTIFICATE_UNREADABLE
    if len(certificate) > MAX_CERTIFICATE:
        return SignatureProblem.CERTIFICATE_UNREADABLE
    if not _valid(first, now):
        return SignatureProblem.CERTIFICATE_EXPIRED
    try:
        signed = b64decode(signature, validate=True)
    except ValueError:
        return SignatureProblem.SIGNATURE_UNREADABLE
    if not signed or len(signature) > MAX_SIGNATURE:
        return SignatureProblem.SIGNATURE_UNREADABLE
    match key:
        case RSAPublicKey(key_size=bits) if bits >= _RSA_BITS:
            fits = len(signed) == (bits + 7) // 8
        case EllipticCurvePublicKey(key_size=bits) if bits >= _CURVE_BITS:
            fits = _fits_curve(signed, bits)
        case _:
            return SignatureProblem.CERTIFICATE_WEAK
    return None if fits else SignatureProblem.SIGNATURE_MISMATCH


def _valid(certificate: Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _fits_curve(signed: bytes, bits: int) -> bool:
    """Return whether a signature is one of a curve: two numbers, in DER or as they are."""
    if len(signed) == 2 * ((bits + 7) // 8):
        return True
    try:
        return max(decode_dss_signature(signed)).bit_length() <= bits
    except ValueError:
        return False
