"""A slide whose label has a patient's INS code, from the scanner's file to every door: its picture
aside, what the code says leaves by none.
"""

import base64
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import zxingcpp

from sgi.access.rules import RULES
from sgi.domain.account import Role
from sgi.domain.arrival import ArrivalState
from sgi.keeping.headers import Headers
from sgi.keeping.records import Records
from sgi.stores import Stores
from tiling.svs import SvsOptions, write_svs
from tiling.testing import draw_pattern

NIR = "279035121518989"
CODE = (
    f"IS01{'0' * 22}S1{NIR}S21.2.250.1.213.1.4.8\x1d"
    "S3DOMINIQUE\x1dS4PAT-TROIS\x1dS5FS628-03-1979S763220"
)
PACKED = base64.b64encode(CODE.encode()).decode()
NAMED = CODE.replace("\x1d", "_")
"""As scanners name files after codes."""
SECRETS = [word.encode() for word in (NIR, "PAT-TROIS", "DOMINIQUE", "28-03-1979", PACKED[40:60])]


def leaks(data: bytes) -> list[bytes]:
    return [secret for secret in SECRETS if secret in data]


def write_scan(path: Path) -> None:
    code = zxingcpp.create_barcode(CODE, zxingcpp.BarcodeFormat.DataMatrix)
    grey = np.pad(np.asarray(code.to_image(scale=6)), 40, constant_values=255)
    fields = {
        "Barcode": CODE,
        "Packed": PACKED,
        "ScanScope ID": f"S {NIR}",
        "Title": CODE.replace("\x1d", "<GS>"),
    }
    label = np.repeat(grey[..., None], 3, axis=2)
    write_svs(path, draw_pattern(600, 400), SvsOptions(label=label, fields=fields))


def write_dicom_scan(folder: Path, scratch: Path) -> None:
    """As a scanner that puts what it reads wherever there is a place."""
    plain = scratch / "plain.svs"
    label = np.full((60, 60, 3), 255, np.uint8)
    write_svs(plain, draw_pattern(600, 400), SvsOptions(label=label))
    command = [sys.executable, "-m", "sgi", "convert", str(plain), str(scratch / "plain")]
    subprocess.run(command, check=True, capture_output=True)
    folder.mkdir()
    for path in sorted((scratch / "plain").glob("*.dcm")):
        said = pydicom.dcmread(path)
        short = CODE.replace("\x1d", "")[:64]
        said.BarcodeValue = said.ContainerIdentifier = said.PatientID = short
        said.LabelText = said.ImageComments = CODE.replace("\x1d", " ")
        item = said.SpecimenDescriptionSequence[0]
        item.SpecimenIdentifier = item.SpecimenShortDescription = short
        item.SpecimenDetailedDescription = CODE.replace("\x1d", "\r\n")
        said.StudyID, said.AccessionNumber = NIR, NIR
        said.SeriesDescription, said.ProtocolName = PACKED[:64], short
        said.OpticalPathSequence[0].OpticalPathDescription = short
        said.DeviceSerialNumber, said.SoftwareVersions = short, short
        block = said.private_block(0x0099, "MAKER", create=True)
        block.add_new(1, "UT", PACKED)
        block.add_new(2, "OB", CODE.encode() + b"\0" * (len(CODE) % 2))
        said.save_as(folder / path.name)


@pytest.fixture(params=["svs", "dicom"])
def scan(request: pytest.FixtureRequest, way_in: Any, run: Any, tmp_path: Path) -> Any:
    """The published slide, its headers on record."""
    if request.param == "svs":
        write_scan(way_in.drop / f"26P1_{NAMED}.svs")
    else:
        write_dicom_scan(way_in.drop / NAMED, tmp_path)
    way_in.settle()
    (arrival,) = way_in.arrivals().values()
    done = way_in.process(arrival)
    assert done.state is ArrivalState.PUBLISHED, done
    (slide,) = way_in.slides()
    run(Records(way_in.database, Headers(Stores(way_in.store))).put(slide))
    return slide


def paths(slide: Any) -> Iterator[str]:
    """Every route that gives something, of this slide where it is of one."""
    named = {
        "slide": [f"{slide.id}", f"{slide.id}.zarr"],
        "slide_id": [str(slide.id)],
        "study": [slide.study_uid],
        "series": [slide.series_uid],
        "instance": [instance.sop_uid for instance in slide.instances],
        "level": ["0"],
        "column": ["0"],
        "row": ["0"],
        "document": [f"{slide.id}.dzi"],
        "arrival_id": [str(slide.arrival_id)],
        "frames": ["1"],
        "element": ["00480105/1/00282000"],
        "name": ["all"],
    }
    for rule in RULES:
        words = [part[1:-1] for part in rule.path.split("/") if part.startswith("{")]
        if rule.method != "GET" or not set(words) <= set(named) or "events" in rule.path:
            continue
        found = [rule.path]
        for word in words:
            found = [path.replace(f"{{{word}}}", value) for path in found for value in named[word]]
        yield from found


def test_nothing_of_it_is_told(
    scan: Any,
    way_in: Any,
    web: Any,
    here: Any,
    audit_rows: Callable[[Any], list[Any]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    client = web.signed_in(here, Role.ADMINISTRATOR)
    given = set()
    for path in paths(scan):
        answer = web.get(client, path)
        assert leaks(answer.content) == [], path
        assert leaks(str(answer.headers).encode()) == [], path
        given |= {path} if answer.status_code == 200 else set()
    metadata = f"/dicomweb/studies/{scan.study_uid}/series/{scan.series_uid}/metadata"
    for path in (f"/api/v1/slides/{scan.id}", "/api/v1/identification", metadata):
        assert path in given
    assert f"/zarr/{scan.id}.zarr/zarr.json" in given
    told = web.get(client, f"/api/v1/slides/{scan.id}").json()
    assert told["barcodes"]
    assert set(told["barcodes"]) == {None}
    (waiting,) = web.get(client, "/api/v1/identification").json()["items"]
    assert "…" in waiting["file_name"]
    assert web.get(client, "/api/v1/slides", params={"q": NIR}).json()["items"] == []
    assert leaks(str(audit_rows(here)).encode()) == []
    logged = [record.getMessage() for record in caplog.records if record.name != "httpx"]
    assert leaks("\n".join(logged).encode()) == []
    assert waiting["reason"] == "patient_code"
    assert way_in.query("select code from slide_code where slide_id = %s", scan.id) == []
    instances = [key for key in way_in.store.objects if key.endswith(".dcm")]
    assert len(instances) == len(scan.instances)
    for key in instances:
        assert leaks(way_in.store.objects[key]) == [], key


@pytest.mark.parametrize("form", ["dicom", "zarr"])
def test_commands_print_and_write_nothing_of_it(tmp_path: Path, form: str) -> None:
    source = tmp_path / "scan.svs"
    write_scan(source)
    target = tmp_path / ("out.ome.zarr" if form == "zarr" else "out")
    for command in (["info", str(source)], ["convert", str(source), str(target)]):
        done = subprocess.run(
            [sys.executable, "-m", "sgi", *command],
            check=True,
            capture_output=True,
            env={"COLUMNS": "400", "PATH": "/usr/bin:/bin"},
        )
        assert leaks(done.stdout + done.stderr) == []
    assert (
        b"a patient's INS code"
        in subprocess.run(
            [sys.executable, "-m", "sgi", "info", str(source)], check=True, capture_output=True
        ).stdout
    )
    written = [path for path in target.rglob("*") if path.is_file()]
    assert written
    for path in written:
        assert leaks(path.read_bytes()) == [], path
