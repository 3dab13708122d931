"""murmur2 as Kafka's Java client computes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.broker.partitioning import murmur2, partition_of


@pytest.mark.parametrize(
    ("key", "signed"),
    [
        (b"21", -973_932_308),
        (b"foobar", -790_332_482),
        (b"a-little-bit-long-string", -985_981_536),
        (b"a-little-bit-longer-string", -1_486_304_829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        (b"abc", 479_470_107),
    ],
)
def test_murmur2_gives_what_java_gives(key: bytes, signed: int) -> None:
    """The vectors of Kafka's own `UtilsTest`."""
    assert murmur2(key) == signed % (1 << 32)


@given(st.binary(max_size=80), st.integers(1, 1000))
def test_partition_of_is_a_partition_of_the_topic_and_stays_the_same(key: bytes, partitions: int) -> None:
    partition = partition_of(key, partitions)

    assert 0 <= partition < partitions
    assert partition_of(bytes(bytearray(key)), partitions) == partition


def test_partition_of_clears_the_sign_as_java_does() -> None:
    assert partition_of(b"foobar", 1000) == 1_357_151_166 % 1000
