"""Roots: certificates that stations are to trust, as the user gives them."""

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

MAX_ROOT = 5500
"""Characters of InstallCertificate.certificate (OCPP 1.6 Security 5.12)."""


def read_root(text: str) -> str:
    """Return the one certificate in a PEM text as stations take it; raises ValueError.

    Whatever stands around it goes: a private key, for one, is no business of theirs.
    """
    (root,) = x509.load_pem_x509_certificates(text.encode())
    pem = root.public_bytes(Encoding.PEM).decode()
    if len(pem) > MAX_ROOT:
        raise ValueError("too long")
    return pem
