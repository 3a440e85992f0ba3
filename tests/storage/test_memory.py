import pytest

from storage import MemoryObjectStore
from storage.testing import ObjectStoreContract


class TestMemoryObjectStore(ObjectStoreContract):
    @pytest.fixture
    def store(self) -> MemoryObjectStore:
        self.objects: dict[str, bytes] = {}
        return MemoryObjectStore(self.objects)

    def set_behind(self, store: MemoryObjectStore, key: str, data: bytes) -> None:
        self.objects[key] = data

    def get_behind(self, store: MemoryObjectStore, key: str) -> bytes | None:
        return self.objects.get(key)
