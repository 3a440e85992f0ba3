"""One slide in one place, every object of it read again: what is wrong, and what was learned."""

from dataclasses import dataclass, field
from datetime import timedelta

from sgi.domain.integrity import Damage, Finding, Place, Scrubbed, SideObject
from sgi.errors import SgiError
from sgi.integrity.expected import (
    Expected,
    Known,
    Manifest,
    expected_objects,
    is_cold,
    parse_manifest,
    says_the_same,
)
from sgi.integrity.look import Gone, Seen, Unreadable, Whole
from sgi.integrity.pace import Pace
from sgi.integrity.progress import Progress
from sgi.stored.keys import MANIFEST, identity_revision, manifest_key, side_object_key, slide_folder
from storage.errors import StorageError
from storage.store import ObjectStore

YOUNG = timedelta(days=1)
"""An unknown object that is younger may be of a slide, or of a copy, that is on its way: its row
comes last. The longest of them takes hours."""

_SENTENCES = {
    Damage.MISSING: "The object is not there.",
    Damage.SIZE: "The object has another size than was written.",
    Damage.BYTES: "The object holds other bytes than were written.",
    Damage.UNREADABLE: "The store fails for this object, and answers for others.",
    Damage.EXTRA: "Nobody knows this object; it is left where it is.",
    Damage.CATALOGUE: "The catalogue says something else than the manifest and the objects.",
}


@dataclass(slots=True)
class Examined:
    """What one pass over a slide in one place has shown."""

    place: Place
    findings: list[Finding] = field(default_factory=list)
    learned: list[SideObject] = field(default_factory=list)
    """Objects that are older than their rows, as they were found first."""
    manifest: Manifest | None = None
    """Where it is what was written."""
    found_manifest: Manifest | None = None
    """What lies there in its place, where it is a manifest at all."""
    learned_cold: dict[str, Whole] = field(default_factory=dict)
    """Packed copies, by SOP Instance UID, whose hash was not known."""
    learned_hashes: bool = False
    """True when rows of instances are to be completed from the manifest."""
    read: Scrubbed = field(default_factory=Scrubbed)
    young: int = 0
    """Objects that nobody knows, and that are too young to be judged."""

    def add(self, key: str, damage: Damage, place: Place | None = None) -> None:
        self.findings.append(Finding(place or self.place, key, damage, _SENTENCES[damage]))


def examine(
    store: ObjectStore, place: Place, known: Known, pace: Pace, progress: Progress | None = None
) -> Examined:
    """Read every object of a slide that lies in `store`; blocking, for a thread.

    Raises the store's errors when it does not answer, StoppedError, and RoundOverError where
    `progress` says so.
    """
    return _Examination(store, place, known, pace, progress or Progress()).examined()


class _Examination:
    def __init__(
        self, store: ObjectStore, place: Place, known: Known, pace: Pace, progress: Progress
    ) -> None:
        self._progress = progress
        self._store = store
        self._known = known
        self._pace = pace
        self._is_copy = place is Place.SECOND
        self._out = Examined(place)

    def examined(self) -> Examined:
        self._read_manifest()
        expected = expected_objects(self._known, self._out.manifest)
        here = [each for each in expected if self._lies_here(each)]
        for each in here:
            self._compare(each)
        self._find_others({each.key for each in expected})
        return self._out

    def _lies_here(self, each: Expected) -> bool:
        """Instances that are cold lie elsewhere, in another form; copies are always DICOM."""
        return self._is_copy or not is_cold(each)

    def _look(self, key: str, *wanted: Whole | None) -> Seen:
        right = [each for each in wanted if each is not None]
        seen = self._progress.look(self._out.place, self._store, key, right, self._pace)
        size_bytes = seen.size_bytes if isinstance(seen, Whole) else 0
        self._out.read += Scrubbed(objects=1, bytes=size_bytes)
        return seen

    def _read_manifest(self) -> None:
        slide, row = self._known.slide, self._known.side_objects.get(MANIFEST)
        key = manifest_key(slide.id)
        wanted = None if row is None else Whole(row.size_bytes, row.sha256)
        seen = self._look(key, wanted)
        manifest = self._parsed(key) if isinstance(seen, Whole) else None
        self._out.found_manifest = manifest
        if manifest is None or manifest.whole != seen or wanted not in {None, seen}:
            self._out.add(key, damage_of(seen, wanted))
            return
        same = says_the_same(slide, manifest)
        if row is None and not same:  # which of the two is wrong, nobody can say any more
            self._out.add(key, Damage.BYTES)
            return
        self._out.manifest = manifest
        if self._is_copy:
            return
        if row is None:
            self._out.learned.append(SideObject(MANIFEST, seen.size_bytes, seen.sha256))
        if not same:
            self._out.add(key, Damage.CATALOGUE, Place.CATALOGUE)

    def _parsed(self, key: str) -> Manifest | None:
        try:
            return parse_manifest(self._store.read(key))
        except StorageError:
            return None

    def _compare(self, each: Expected) -> None:
        seen = self._look(each.key, each.catalogue, each.manifest)
        if not isinstance(seen, Whole):
            self._out.add(each.key, damage_of(seen, each.best))
        elif seen == each.catalogue:
            return
        elif each.catalogue is None and each.manifest in {None, seen}:
            self._learn(each, seen)
        elif seen == each.manifest:
            if not self._is_copy:  # said of the first copy already
                self._out.add(each.key, Damage.CATALOGUE, Place.CATALOGUE)
        else:
            self._out.add(each.key, damage_of(seen, each.best))

    def _learn(self, each: Expected, seen: Whole) -> None:
        if self._is_copy:
            return
        if each.name is not None:
            self._out.learned.append(SideObject(each.name, seen.size_bytes, seen.sha256))
        else:
            self._out.learned_hashes = self._out.manifest is not None

    def _find_others(self, expected: set[str]) -> None:
        """What lies in the folder and is not known; of a slide older than that, it is learned."""
        slide = self._known.slide
        manifest = self._out.manifest
        is_old = manifest is not None and manifest.told.version == 1
        first_look = MANIFEST not in self._known.side_objects
        # Of a try that did not come to its end; the next one writes over it.
        next_revision = slide.told.revision + 1 if slide.told else 1
        for info in self._store.list(slide_folder(slide.id)):
            if info.key in expected or info.key == manifest_key(slide.id):
                continue
            name = info.key.removeprefix(slide_folder(slide.id))
            if identity_revision(name) == next_revision:
                continue
            if is_old and first_look and _is_side_object(self._known, name):
                self._compare(Expected(info.key, None, None, name=name))
            elif not (is_old and self._is_copy and _is_side_object(self._known, name)):
                self._out.add(info.key, Damage.EXTRA)


def _is_side_object(known: Known, name: str) -> bool:
    try:
        side_object_key(known.slide.id, name)
    except SgiError:
        return False
    return True


def damage_of(seen: Seen, wanted: Whole | None) -> Damage:
    """What is wrong with an object that is not `wanted`."""
    if isinstance(seen, Gone):
        return Damage.MISSING
    if isinstance(seen, Unreadable):
        return Damage.UNREADABLE
    if wanted is not None and seen.size_bytes != wanted.size_bytes:
        return Damage.SIZE
    return Damage.BYTES
