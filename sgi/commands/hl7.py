"""`sgi hl7`: every interface with the laboratory's system, listening and telling."""

import asyncio
import logging
import signal
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from uuid import UUID

from sgi.catalogue import accounts
from sgi.catalogue.database import Database
from sgi.commands.serve import is_loopback
from sgi.errors import ConfigurationError
from sgi.hl7.client import Address, MllpClient
from sgi.hl7.files import FileDrop
from sgi.hl7.files_out import FileTransport
from sgi.hl7.interfaces import Interface, InterfaceKind, interfaces_of
from sgi.hl7.receive import Receiver
from sgi.hl7.sender import Sender
from sgi.hl7.server import Limits, MllpServer
from sgi.hl7.tls import client_context, server_context
from sgi.machine import tell_ports
from sgi.settings import Settings

_log = logging.getLogger(__name__)
_CONNECTIONS_TO_DATABASE = 8
_GRACE_S = 8.0
"""For messages that are being handled when we are stopped."""
_HELD_MESSAGES = 4
"""Largest messages that all connections of an interface may hold together."""


async def serve_hl7(settings: Settings, url: str) -> None:
    """Serve every interface until stopped; what is being handled then is answered first.

    Raises ConfigurationError when an interface's file is not right or its port is taken.
    """
    interfaces = interfaces_of(settings)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with (
        Database(url, size=_CONNECTIONS_TO_DATABASE, plans_once=True) as database,
        AsyncExitStack() as stack,
    ):
        homes = await _homes(database, interfaces)
        ports: dict[str, int] = {}
        drops: list[FileDrop] = []
        senders: list[Sender] = []
        for interface in interfaces:
            home = homes[interface.name]
            receiver = Receiver(database, home, interface)
            if interface.kind is InterfaceKind.MLLP:
                ports[interface.name] = await _listen(settings, interface, receiver, stack)
            elif interface.folder is not None:  # as every one of files has by now
                most_bytes = settings.hl7.message_mb << 20
                drops.append(
                    FileDrop(
                        interface.name,
                        interface.folder,
                        receiver,
                        most_bytes=most_bytes,
                        refuser=receiver.receive_head,
                        application=interface.application_acknowledgement,
                    )
                )
            transport = _transport(interface)
            if transport is not None:
                stack.push_async_callback(transport.close)
            port = ports.get(interface.name)
            senders.append(Sender(database, home, interface, transport, port))
        tell_ports(settings, ports)
        await _run(stopped, *(drop.run() for drop in drops), *(one.run() for one in senders))


async def _run(stopped: asyncio.Event, *running: Coroutine[None, None, None]) -> None:
    """Until stopped, or one of them fails: the process is started anew then."""
    tasks: list[asyncio.Task[None]] = [asyncio.create_task(one) for one in running]
    waiting = asyncio.create_task(stopped.wait())
    try:
        done, _ = await asyncio.wait({*tasks, waiting}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (*tasks, waiting):
            task.cancel()
        await asyncio.gather(*tasks, waiting, return_exceptions=True)


async def _homes(database: Database, interfaces: list[Interface]) -> dict[str, UUID]:
    """The establishment of each interface."""
    async with database.anonymous() as connection:
        known = await accounts.establishments(connection)
    if not known:
        raise ConfigurationError("There is no establishment yet: start `sgi up` once.")
    by_name = {name: identifier for identifier, name in known}
    homes = {}
    for interface in interfaces:
        if interface.establishment and interface.establishment not in by_name:
            raise ConfigurationError(
                f"{interface.name}.toml: there is no establishment {interface.establishment}."
            )
        homes[interface.name] = by_name.get(interface.establishment, known[0][0])
    return homes


async def _listen(
    settings: Settings, interface: Interface, receiver: Receiver, stack: AsyncExitStack
) -> int:
    of_all = settings.hl7
    limits = Limits(
        message_bytes=of_all.message_mb << 20,
        held_bytes=_HELD_MESSAGES * of_all.message_mb << 20,
        connections=of_all.connections,
        connections_per_peer=of_all.connections_per_peer,
        idle_s=of_all.idle_s,
        message_s=of_all.message_s,
    )
    tls = of_all.tls
    context = (
        server_context(tls.certificate, tls.key, tls.clients)
        if tls.certificate is not None
        else None
    )
    server = MllpServer(
        interface.name,
        receiver,
        limits,
        context,
        receiver.refuse,
        application=interface.application_acknowledgement,
    )
    host = interface.host or of_all.host
    if context is None and not is_loopback(host):
        _log.warning(
            "%s: messages cross the network in clear; set SGI_HL7__TLS__CERTIFICATE and "
            "SGI_HL7__TLS__KEY unless that network is closed",
            interface.name,
        )
    try:
        port = await server.start(host, interface.port or 0)
    except OSError as error:
        raise ConfigurationError(
            f"{interface.name}: port {interface.port} on {host} cannot be used "
            f"({error.strerror}): stop what uses it, or set another."
        ) from error
    stack.push_async_callback(server.stop, _GRACE_S)
    _log.info("%s: listening on %s, port %s", interface.name, host, port)
    return port


def _transport(interface: Interface) -> MllpClient | FileTransport | None:
    out = interface.out
    if out.folder is not None:
        return FileTransport(out.folder)
    if not out.host or out.port is None:
        return None
    context = client_context(out.authority, out.certificate, out.key) if out.tls else None
    return MllpClient(
        Address(out.host, out.port, context),
        answer_s=out.answer_s,
        connection_per_message=out.connection_per_message,
        hears_late=True,
    )
