"""Free TCP ports of this machine's loopback, for servers that want two each."""

import random
import socket
from collections.abc import Iterable

GRPC_OFFSET = 10_000
"""SeaweedFS listens for gRPC so far above each HTTP port; parts of it take that for granted."""

# Both halves stay below 32768, where Linux begins to hand out ports to outgoing connections.
_FIRST, _LAST = 20_000, 22_700


def is_free(port: int) -> bool:
    """Whether a server could listen on a port of the loopback address now."""
    with socket.socket() as probe:
        # As the servers do: connections of a server just gone linger, and are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def are_free(ports: Iterable[int]) -> bool:
    """Whether each port and its gRPC port are free."""
    return all(is_free(port) and is_free(port + GRPC_OFFSET) for port in ports)


def choose_ports(count: int) -> list[int]:
    """Ports that are free together with their gRPC ports."""
    candidates = random.sample(range(_FIRST, _LAST), k=_LAST - _FIRST)
    return [port for port in candidates[: 40 * count] if are_free([port])][:count]
