"""Where things stand in the messages of an interface, and how their identifiers look."""

import re
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator

from sgi.domain.case import AssetKind
from sgi.hl7.errors import MessageError
from sgi.hl7.interface_out import Table
from sgi.hl7.message import Path, paths

_STANDARD = """
ACC ADD AL1 ARV BLG BPO BPX BUI CDO CON CSP CSR CSS CTD CTI DB1 DEV DG1 DRG DSC EQU EVN FT1 GSC GSP
GSR GT1 IAM IAR IN1 IN2 IN3 INV IPC MRG MSA MSH NDS NK1 NPU NTE OBR OBX ODC ODS ODT OH1 OH2 OH3 OH4
OMC ORC PAC PCR PD1 PDA PES PID PR1 PRB PRT PSH PTH PV1 PV2 QRD QRF REL ROL RQ1 RQD RXA RXC RXE RXO
RXR RXV SAC SFT SHP SID SPM TCC TCD TQ1 TQ2 TXA UAC UB1 UB2 VAR
"""
SEGMENTS = frozenset(_STANDARD.split())
"""Those of orders, observations, documents and identities, HL7 v2.3 to v2.9; beside them a
laboratory has its own, which begin with Z."""


class AssetWord(StrEnum):
    """What integrators call the things that a case is made of."""

    SPECIMEN = "specimen"
    BLOCK = "block"
    SLIDE = "slide"

    @property
    def kind(self) -> AssetKind:
        return AssetKind[self.name]


def _paths(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        found = paths(value) if value.strip() else ()
    except MessageError as error:
        raise ValueError(str(error)) from error
    for path in found:
        if path.segment not in SEGMENTS and not path.segment.startswith("Z"):
            raise ValueError(
                f"there is no segment {path.segment} in such messages; check how it is written"
            )
    return found


Paths = Annotated[tuple[Path, ...], BeforeValidator(_paths)]
"""Alternatives, as "SPM-2.2|SPM-2.1|OBR-13": the first that holds something counts; none: nothing
is read."""


class Read(Table):
    """Where things stand in the messages of this interface."""

    case: Paths
    """The accession number."""
    placer: Paths
    filler: Paths
    specimen: Paths
    block: Paths
    slide: Paths
    """What its barcode says."""
    parent: Paths
    """Beside an SPM; elsewhere a slide's is the block of the same order, a block's the specimen."""
    container: Paths
    """What kind of thing an SPM tells of, by the table `containers`."""
    otherwise: AssetWord | None = None
    """What an SPM tells of that does not say it; none: such a message is refused."""
    priority: Paths
    service: Paths
    """What was ordered; a coded field."""
    stain: Paths = ()
    """A coded field where a slide's stain stands, beside the OBX of DPOW."""
    clinical: Paths
    pathologist: Paths
    visit: Paths
    scanned: Paths
    """Of a scanner's message, the slide."""
    report_case: Paths
    """Of a report, the accession number."""


def _pattern(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        pattern = re.compile(value)
    except re.error as error:
        raise ValueError(f"it is no regular expression ({error})") from error
    if pattern.groupindex and "id" not in pattern.groupindex:
        raise ValueError("of its groups only id is read; name one of them id")
    return pattern


Pattern = Annotated[re.Pattern[str] | None, BeforeValidator(_pattern)]


class Patterns(Table):
    """How identifiers look, whole; with a group `id`, that is the identifier. None: any text."""

    case: Pattern = None
    specimen: Pattern = None
    block: Pattern = None
    slide: Pattern = None
