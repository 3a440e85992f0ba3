"""What can go wrong between us and stored objects.

Every message is one sentence that names the object and never a credential.
"""


class StorageError(Exception):
    """The root of every error of this package."""


class InvalidKeyError(StorageError):
    """The key is not one that every store can hold safely."""


class ObjectNotFoundError(StorageError):
    """No object has this key."""


class BucketNotFoundError(StorageError):
    """The bucket itself is missing: a wrong setting, never a deleted object."""


class RangeError(StorageError):
    """The range asked for does not lie wholly inside the object."""


class ObjectTooLargeError(StorageError):
    """The object is larger than the caller is willing to hold in memory."""


class ObjectChangedError(StorageError):
    """The object was replaced while it was being read."""


class CorruptObjectError(StorageError):
    """The bytes that arrived are not the bytes that were sent or stored."""


class StoreUnavailableError(StorageError):
    """The store did not answer, or answered that it cannot now; trying again later may work.

    A store that finds its own bytes damaged often says no more than this: one object that stays
    unavailable while others are served is a matter for the integrity check.
    """


class StoreFullError(StorageError):
    """The store has no room left; a person must make some."""


class StoreRefusedError(StorageError):
    """The store does not accept our credentials, or does not allow what was asked."""


class ObjectFrozenError(StoreRefusedError):
    """The object lies in an archive, which must thaw it before it can be read."""
