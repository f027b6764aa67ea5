"""A small certificate authority, to test the virtual station's TLS against."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
UNTIL = datetime(2040, 1, 1, tzinfo=UTC)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def pem(certificate: x509.Certificate) -> str:
    """Return a certificate as PEM."""
    return certificate.public_bytes(Encoding.PEM).decode()


class Authority:
    """A root with an EC key; what it signs is valid for decades unless told."""

    def __init__(self, name: str = "Test Root") -> None:
        """Create a root."""
        self.name = _name(name)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.root = self._sign(self.name, self.key.public_key(), ca=True)

    @property
    def root_pem(self) -> str:
        """Return the root as PEM."""
        return pem(self.root)

    def _sign(
        self,
        subject: x509.Name,
        public_key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
        *,
        ca: bool = False,
        until: datetime = UNTIL,
        alternatives: tuple[x509.GeneralName, ...] = (),
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(SINCE)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), True)
        )
        if alternatives:
            names = x509.SubjectAlternativeName(alternatives)
            builder = builder.add_extension(names, False)
        return builder.sign(self.key, hashes.SHA256())

    def sign(self, csr: str, *, days: float | None = None) -> str:
        """Return the certificate for a request, leaf and root, as PEM."""
        request = x509.load_pem_x509_csr(csr.encode())
        key = request.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
        until = UNTIL
        if days is not None:
            until = datetime.now(UTC) + timedelta(days=days)
        leaf = self._sign(request.subject, key, until=until)
        return pem(leaf) + self.root_pem

    def certify(
        self, name: str, key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey
    ) -> str:
        """Return a certificate for a name and a key, as PEM."""
        return pem(self._sign(_name(name), key))

    def other(self) -> str:
        """Return a certificate of this root for a key that nobody has, as PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self.certify("CP1", key.public_key())

    def server_context(
        self, folder: Path, host: str = "127.0.0.1", *, kind: str = "ec"
    ) -> ssl.SSLContext:
        """Return the context of a server, which takes client certificates too."""
        key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
        if kind == "rsa":
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        else:
            key = ec.generate_private_key(ec.SECP256R1())
        address = x509.IPAddress(ip_address(host))
        leaf = self._sign(_name(host), key.public_key(), alternatives=(address,))
        private = key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ).decode()
        file = folder / "server.pem"
        file.write_text(private + pem(leaf), encoding="ascii")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        context.set_ciphers("ECDHE+AESGCM:AES128-GCM-SHA256:AES256-GCM-SHA384")
        context.load_verify_locations(cadata=self.root_pem)
        context.verify_mode = ssl.CERT_OPTIONAL
        return context
