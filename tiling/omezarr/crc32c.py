"""CRC-32C (Castagnoli, RFC 3720 appendix B.4), which Zarr's shards are sealed with.

The standard library has only the other CRC-32. Long data is cut into lanes that numpy takes
through the table side by side; since the checksum is linear, a lane's own checksum is then carried
past the bytes of the next.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_POLYNOMIAL = 0x82F63B78
"""Bits reversed, as the algorithm shifts right."""
_ALL_ONES = 0xFFFFFFFF


def _make_table() -> NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        odd = (table & 1).astype(bool)
        table = np.where(odd, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1)
    return table.astype(np.uint32)


_TABLE = _make_table()


def crc32c(data: bytes | memoryview) -> int:
    """The checksum of `data`, 0 to 2^32 - 1."""
    if not data:
        return 0
    # Zeros in front change nothing while the state is 0; the initial state of ones is the same as
    # the first four bytes inverted.
    lane_bytes = max(4, math.isqrt(len(data)))
    lanes = -(-len(data) // lane_bytes)
    padded = np.zeros(lanes * lane_bytes + 4, np.uint8)
    start = len(padded) - 4 - len(data)
    padded[start : start + len(data)] = np.frombuffer(data, np.uint8)
    padded[start : start + 4] ^= 0xFF
    # Where the data is shorter than four bytes, ones are left over behind it: they are the state.
    left_over = int.from_bytes(padded[-4:].tobytes(), "little") if len(data) < 4 else 0
    states = _lane_states(padded[:-4].reshape(lanes, lane_bytes))
    carry = _carry_tables(lane_bytes)
    state = 0
    for lane in states.tolist():
        state = (
            carry[0][state & 255]
            ^ carry[1][state >> 8 & 255]
            ^ carry[2][state >> 16 & 255]
            ^ carry[3][state >> 24]
            ^ lane
        )
    return state ^ left_over ^ _ALL_ONES


def _lane_states(lanes: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """The state after each row of bytes, from 0."""
    states = np.zeros(len(lanes), np.uint32)
    for column in np.ascontiguousarray(lanes.T):
        states = _TABLE[(states ^ column) & 0xFF] ^ (states >> 8)
    return states


@lru_cache(maxsize=16)
def _carry_tables(length: int) -> list[list[int]]:
    """What each value of each byte of a state becomes when `length` zero bytes follow."""
    bits = np.uint32(1) << np.arange(32, dtype=np.uint32)
    for _ in range(length):
        bits = _TABLE[bits & 0xFF] ^ (bits >> 8)
    values = np.arange(256)
    tables = []
    for byte in range(4):
        table = np.zeros(256, np.uint32)
        for bit in range(8):
            chosen = (values >> bit & 1).astype(bool)
            table ^= np.where(chosen, bits[8 * byte + bit], np.uint32(0))
        tables.append(table.tolist())
    return tables
