"""Private keys and certificates in PEM, by the package cryptography, which comes with c2pa-python."""

import datetime
from pathlib import Path
from typing import Any

NO_NAME = "Name not given"
ROOT_NAME = "Self-made root of a ComfyUI installation"
VALID_DAYS = 10 * 365
BEGIN = "-----BEGIN CERTIFICATE-----"
MISSING = (
    "Content credentials need the package c2pa-python, which this ComfyUI does not have: run pip install c2pa-python in"
    " ComfyUI's Python and restart it. To save without them, use Save Video, or switch on unsigned_without_c2pa."
)


class MissingLibrary(RuntimeError):
    """c2pa-python, or the cryptography package that comes with it, is not installed."""


def _cryptography() -> Any:
    """The package as a namespace; imported late, since few graphs sign."""
    try:
        import cryptography.exceptions
        import cryptography.hazmat.primitives.asymmetric.ec
        import cryptography.hazmat.primitives.asymmetric.ed25519
        import cryptography.hazmat.primitives.asymmetric.rsa
        import cryptography.hazmat.primitives.serialization
        import cryptography.x509
    except ImportError:
        raise MissingLibrary(MISSING) from None
    return cryptography


def new_key() -> bytes:
    """PEM of a new P-256 key."""
    primitives = _cryptography().hazmat.primitives
    key = primitives.asymmetric.ec.generate_private_key(primitives.asymmetric.ec.SECP256R1())
    text = primitives.serialization
    return key.private_bytes(text.Encoding.PEM, text.PrivateFormat.PKCS8, text.NoEncryption())


def load_key(content: bytes, path: Path) -> Any:
    """A private key from PEM; `path` is for the sentence.

    Raises:
        RuntimeError: the content is not a private key, or locked.
    """
    package = _cryptography()
    try:
        return package.hazmat.primitives.serialization.load_pem_private_key(content, password=None)
    except TypeError:
        raise RuntimeError(f"The key {path} is locked with a password; give one without.") from None
    except (ValueError, package.exceptions.UnsupportedAlgorithm) as error:
        raise RuntimeError(
            f"{path} does not hold a private key ({type(error).__name__}): put it back from a backup, or move it away;"
            " clips that were signed with it stay signed."
        ) from None


def algorithm(key: Any) -> str:
    """C2PA's name for signatures by a key."""
    kinds = _cryptography().hazmat.primitives.asymmetric
    if isinstance(key, kinds.ec.EllipticCurvePrivateKey):
        names = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
        if key.curve.name in names:
            return names[key.curve.name]
    if isinstance(key, kinds.rsa.RSAPrivateKey):
        return "ps256"
    if isinstance(key, kinds.ed25519.Ed25519PrivateKey):
        return "ed25519"
    raise RuntimeError(
        "The key is of a kind that C2PA does not sign with: use P-256, P-384, P-521, RSA or Ed25519."
    )


def public_part(key: Any) -> bytes:
    """The public half of a private key, to tell keys apart."""
    return public_bytes(key.public_key())


def first_certificate(content: bytes) -> Any:
    """The signer's certificate of a PEM chain.

    Raises:
        ValueError: the content is not a certificate chain.
    """
    return _cryptography().x509.load_pem_x509_certificates(content)[0]


def public_bytes(public_key: Any) -> bytes:
    """DER of a public key."""
    text = _cryptography().hazmat.primitives.serialization
    return public_key.public_bytes(text.Encoding.DER, text.PublicFormat.SubjectPublicKeyInfo)


def name_in(certificate: Any) -> str:
    """What a verifier shows as the signer."""
    oid = _cryptography().x509.oid.NameOID
    for kind in (oid.COMMON_NAME, oid.ORGANIZATION_NAME):
        for attribute in certificate.subject.get_attributes_for_oid(kind):
            return str(attribute.value)
    return NO_NAME


def chain(name: str, key: Any, root_key: Any) -> bytes:
    """PEM of a certificate for `name` and of the root that signed it, as C2PA 2.2 section 14.5 wants them."""
    x509 = _cryptography().x509
    root_public = root_key.public_key()
    root = _certificate(ROOT_NAME, ROOT_NAME, root_public, root_key, is_root=True)
    of_mail = x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.EMAIL_PROTECTION])
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_public)
    leaf = _certificate(name, ROOT_NAME, key.public_key(), root_key, False, of_mail, issuer)
    pem = _cryptography().hazmat.primitives.serialization.Encoding.PEM
    return leaf.public_bytes(pem) + root.public_bytes(pem)


def _certificate(name: str, issuer: str, public_key: Any, signed_by: Any, is_root: bool, *more: Any) -> Any:
    x509, sha256 = _cryptography().x509, _cryptography().hazmat.primitives.hashes.SHA256()
    now = datetime.datetime.now(datetime.timezone.utc)
    usage = x509.KeyUsage(not is_root, False, False, False, False, is_root, is_root, False, False)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_x509_name(name))
        .issuer_name(_x509_name(issuer))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
        .add_extension(x509.BasicConstraints(is_root, 0 if is_root else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )
    for extension in more:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(signed_by, sha256)


def _x509_name(name: str) -> Any:
    x509 = _cryptography().x509
    oid = x509.oid.NameOID
    return x509.Name([x509.NameAttribute(kind, name) for kind in (oid.ORGANIZATION_NAME, oid.COMMON_NAME)])
