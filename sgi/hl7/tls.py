"""TLS of links to other systems, from certificates that an administrator names."""

import ssl
from pathlib import Path

from sgi.errors import ConfigurationError


def server_context(
    certificate: Path, key: Path | None, clients: Path | None = None
) -> ssl.SSLContext:
    """For a listener; with `clients`, only those with a certificate of that authority come in.

    Raises ConfigurationError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, certificate, key)
    if clients is not None:
        _trust(context, clients)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(
    authority: Path | None = None, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """For a connection that we open: the other side proves the name by which it is called, to
    `authority` or to those of the system; `certificate` says who we are. Raises ConfigurationError.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authority is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        _trust(context, authority)
    if certificate is not None:
        _load(context, certificate, key)
    return context


def _load(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{certificate} and its key cannot be used for TLS: they must be PEM files that fit "
            "each other, the key without a password."
        ) from error


def _no_password() -> str:
    """Nobody is there to be asked for one."""
    return ""


def _trust(context: ssl.SSLContext, authority: Path) -> None:
    try:
        context.load_verify_locations(authority)
    except OSError as error:
        raise ConfigurationError(
            f"{authority} holds no certificate that others can be proved by: it must be a PEM file."
        ) from error
