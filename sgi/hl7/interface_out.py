"""Where an interface's notices go, and what every table of its file has in common."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sgi.domain.case import Code, WorkKind
from sgi.domain.interface import NoticeKind
from sgi.hl7.encodings import Charset


class Table(BaseModel):
    """Keys that are not known are refused: a misspelt one would be silently without effect."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Party(Table):
    """An application and its facility: MSH-3 and -4, or MSH-5 and -6."""

    application: str = Field(default="", max_length=180)
    facility: str = Field(default="", max_length=180)


class CodeWord(Table):
    """What a code of the laboratory's is here."""

    code: str = Field(pattern=r"\S", max_length=100)
    text: str | None = Field(default=None, max_length=300)
    system: str | None = Field(default=None, max_length=100)

    def as_code(self) -> Code:
        return Code(self.code, self.text, self.system)


class Authority(Table):
    """Of an assigner, what CX.4 has beside its name."""

    id: str = Field(max_length=100)
    type: str = Field(default="ISO", max_length=10)


class Out(Table):
    """Where notices go."""

    host: str = Field(default="", max_length=253)
    port: int | None = Field(default=None, ge=1, le=65535)
    folder: Path | None = None
    """Of an interface of files."""
    tls: bool = False
    authority: Path | None = None
    """The certificate that proves the other side; none: those of the system."""
    certificate: Path | None = None
    key: Path | None = None
    """Who we are, where the other side asks."""
    send: tuple[NoticeKind, ...] = ()
    sender: Party = Party(application="SGI")
    receiver: Party = Party()
    encoding: Charset = Charset.UTF_8
    processing: str = Field(default="P", pattern="^[PTD]$")
    """MSH-11."""
    enhanced: bool = False
    """Acknowledgements in enhanced mode: a commit at once (MSH-15 AL), and what became of the
    message when that is known (MSH-16 AL)."""
    connection_per_message: bool = False
    answer_s: float = Field(default=30.0, gt=0, le=600)
    authorities: dict[str, Authority] = Field(default_factory=dict)
    """By the assigner of an IPP."""
    service: CodeWord = CodeWord(code="ACP", text="Anatomie et cytologie pathologiques", system="L")
    """OBR-4 of a case whose own is not known: it must not be empty."""
    work: dict[WorkKind, CodeWord] = Field(default_factory=dict)
    """OBR-4 of a work order that names no stain."""
    link: str = Field(default="", max_length=500, pattern="^$|^https?://.*[{]case[}].*$")
    """Of an `ORU^R01`: `{case}` stands for the case's own id here, which says nothing to others."""

    @property
    def reachable(self) -> bool:
        """There is somewhere to send to."""
        return bool(self.host and self.port) or self.folder is not None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.host and self.folder is not None:
            raise ValueError("notices go to host or into folder; take one of them out")
        if bool(self.host) != (self.port is not None):
            raise ValueError("host and port go together; give both")
        if self.send and not self.reachable:
            raise ValueError("there is nowhere to send to: give host and port, or a folder")
        if (NoticeKind.LINK in self.send) != bool(self.link):
            raise ValueError("ORU goes with link, the address with {case} in it")
        if bool(self.certificate) != bool(self.key):
            raise ValueError("certificate and key go together")
        if self.tls and not self.host:
            raise ValueError("tls goes with host and port; give them, or take it out")
        for key in ("authority", "certificate"):
            if getattr(self, key) is not None and not self.tls:
                raise ValueError(f"{key} goes with tls; set tls = true, or take it out")
        return self
