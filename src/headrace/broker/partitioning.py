"""Which partition a key belongs to, for callers who choose it themselves: as Java's producer does by default."""

import struct

_SEED = 0x9747B28C
_M = 0x5BD1E995
_WORD = 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """Return the 32-bit murmur2 hash of *key*, unsigned, as `org.apache.kafka.common.utils.Utils.murmur2`."""
    h = _SEED ^ len(key)
    words = len(key) // 4
    for word in struct.unpack_from(f"<{words}I", key):
        k = word * _M & _WORD
        h = h * _M & _WORD ^ (k ^ k >> 24) * _M & _WORD
    if rest := key[4 * words :]:
        h = (h ^ int.from_bytes(rest, "little")) * _M & _WORD
    h = (h ^ h >> 13) * _M & _WORD
    return h ^ h >> 15


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of *key* in a topic of so many *partitions*."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
