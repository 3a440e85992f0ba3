"""Ports of `sgi up`: a taken one is said at once, rather than in the log of a process later."""

import logging
import os
import socket

from sgi.errors import ConfigurationError
from sgi.hl7.interfaces import interfaces_of
from sgi.settings import Settings

_log = logging.getLogger(__name__)


def usable_port(host: str, port: int) -> int:
    """The port, for 0 a free one; raises OSError when it cannot be listened on."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((host, port))
        found: int = s.getsockname()[1]
        return found


def with_hl7_port(settings: Settings) -> Settings:
    """The settings with a port on which the first interface can listen, for child processes too.

    Nobody was told of a port that nobody has set: if that is taken, another serves as well, and
    slides can be read. Raises ConfigurationError for one that was set, and for an interface's file.
    """
    hl7 = settings.hl7
    interfaces = interfaces_of(settings)
    if all(interface.port != hl7.port for interface in interfaces):
        return settings
    try:
        port = usable_port(hl7.host, hl7.port)
    except OSError as error:
        if "port" in hl7.model_fields_set:
            raise ConfigurationError(
                f"Port {hl7.port} on {hl7.host} cannot be used ({error.strerror}): stop what uses "
                "it, or set SGI_HL7__PORT to another."
            ) from error
        port = usable_port(hl7.host, 0)
        _log.warning(
            "port %s is taken: HL7 is on port %s until SGI_HL7__PORT says another", hl7.port, port
        )
    os.environ["SGI_HL7__PORT"] = str(port)
    return settings.model_copy(update={"hl7": hl7.model_copy(update={"port": port})})
