"""TLS as a station does it: whom it trusts, and what it shows of itself."""

from pathlib import Path
import ssl
from tempfile import TemporaryDirectory


def client_context(
    roots: list[str],
    *,
    chain: str | None = None,
    key: str | None = None,
    ciphers: str | None = None,
    careless: bool = False,
) -> ssl.SSLContext:
    """Return the context of a client (TLS 1.2 or above); blocking.

    `chain` and `key` (PEM) are its certificate, `ciphers` bind it to TLS 1.2 with just
    those, a careless one takes any certificate of the server.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ciphers is not None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(ciphers)
    # What is installed is trusted, also where it is no root.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if roots:
        context.load_verify_locations(cadata="\n".join(roots))
    if careless:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if chain is not None and key is not None:
        with TemporaryDirectory() as folder:
            file = Path(folder, "identity.pem")
            file.touch(0o600)
            file.write_text(f"{key}\n{chain}", encoding="ascii")
            context.load_cert_chain(file)
    return context
