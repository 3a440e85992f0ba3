"""An establishment in the bucket: one that has no slides yet outlives the catalogue too."""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from sgi.stored.keys import establishment_key
from storage.errors import ObjectNotFoundError
from storage.store import ObjectStore


class StoredEstablishment(BaseModel):
    """As it is called now: what its slides say is how it was called when they came."""

    version: Literal[1] = 1
    establishment_id: UUID
    establishment_name: str
    created_at: AwareDatetime


def write_establishment(store: ObjectStore, stored: StoredEstablishment) -> bool:
    """Unless it is there already, as it is; whether it was written. Blocking."""
    key = establishment_key(stored.establishment_id)
    data = stored.model_dump_json(indent=1).encode()
    try:
        if store.read(key) == data:
            return False
    except ObjectNotFoundError:
        pass
    store.put(key, data, content_type="application/json")
    return True
