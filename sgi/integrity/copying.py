"""An object from one store into another, proved on the way and proved again where it came."""

import hashlib

from sgi.errors import VerificationError
from sgi.integrity.look import Whole, look
from sgi.integrity.pace import Pace
from storage.errors import ObjectNotFoundError
from storage.store import OCTETS, ObjectStore

_PIECE_BYTES = 16 << 20
_MEDIA_TYPES = {"dcm": "application/dicom", "json": "application/json", "png": "image/png"}


def copy_proved(
    source: ObjectStore, target: ObjectStore, key: str, wanted: Whole, pace: Pace
) -> None:
    """Copy an object that must be `wanted`; nothing else ever appears under its key.

    Raises VerificationError when the source holds something else, or the target gives something
    else back, and the stores' errors.
    """
    with target.open_write(key, content_type=media_type(key)) as sink:
        size_bytes = 0
        whole = hashlib.sha256()
        for data in source.read_chunks(key, _PIECE_BYTES):
            whole.update(data)
            size_bytes += len(data)
            pace.spend(len(data))
            sink.write(data)
        if Whole(size_bytes, whole.hexdigest()) != wanted:
            raise VerificationError("The copy that was to be taken is not what was written.")
    if look(target, key, [wanted], pace) != wanted:
        raise VerificationError("The copy is not what was written.")


def copy_as_it_is(
    source: ObjectStore, target: ObjectStore, key: str, target_key: str, pace: Pace
) -> bool:
    """Copy whatever bytes the source gives, as evidence; False when it has no such object."""
    try:
        with target.open_write(target_key, content_type=OCTETS) as sink:
            for data in source.read_chunks(key, _PIECE_BYTES):
                pace.spend(len(data))
                sink.write(data)
    except ObjectNotFoundError:
        return False
    return True


def media_type(key: str) -> str:
    """Of an object of ours, by its key."""
    return _MEDIA_TYPES.get(key.rpartition(".")[2], OCTETS)
