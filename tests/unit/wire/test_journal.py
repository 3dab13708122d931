from hypothesis import given
from hypothesis import strategies as st

from headrace.wire.journal import MAGIC, MARK, Damaged, Frame, encode, read

FRAMES = st.lists(st.builds(Frame, st.binary(max_size=20), st.binary(max_size=40), st.binary(max_size=300)), max_size=8)


def _segment(frames: list[Frame]) -> bytes:
    return MAGIC + b"".join(encode(frame.topic, frame.key, frame.value) for frame in frames)


@given(FRAMES)
def test_a_segment_returns_its_frames_in_order(frames: list[Frame]) -> None:
    assert list(read(_segment(frames))) == frames


def test_a_frame_has_the_bytes_that_other_versions_read() -> None:
    """Golden bytes: a segment outlives the process, and perhaps the version, that wrote it."""
    frame = encode(b"headrace.events", b"o/s", b"{}")

    assert frame.hex() == (
        "f59d4852" + "05a75f37" + "0f000300" + "02000000" + b"headrace.events".hex() + b"o/s".hex() + b"{}".hex()
    )


@given(FRAMES, st.integers(min_value=0), st.binary(min_size=1, max_size=30))
def test_a_torn_end_hides_no_whole_frame(frames: list[Frame], cut: int, torn: bytes) -> None:
    """A crash leaves the beginning of a frame at the end of the file."""
    last = encode(b"topic", b"key", torn)
    segment = _segment(frames) + last[: 1 + cut % (len(last) - 1)]

    found = list(read(segment))

    assert [frame for frame in found if isinstance(frame, Frame)] == frames
    assert isinstance(found[-1], Damaged)


@given(FRAMES.filter(bool), st.data())
def test_a_damaged_byte_hides_one_frame_only(frames: list[Frame], data: st.DataObject) -> None:
    """Whatever byte of whatever frame is flipped, all other frames are still read."""
    victim = data.draw(st.integers(0, len(frames) - 1))
    encoded = [bytearray(encode(frame.topic, frame.key, frame.value)) for frame in frames]
    at = data.draw(st.integers(0, len(encoded[victim]) - 1))
    encoded[victim][at] ^= data.draw(st.integers(1, 255))

    found = list(read(MAGIC + b"".join(encoded)))

    assert [frame for frame in found if isinstance(frame, Frame)] == frames[:victim] + frames[victim + 1 :]
    assert b"".join(damage.bytes for damage in found if isinstance(damage, Damaged)) == encoded[victim]


@given(st.binary(max_size=400))
def test_any_bytes_are_read_without_an_error(noise: bytes) -> None:
    found = list(read(noise.replace(MARK, b"")))

    assert all(isinstance(part, Damaged) for part in found)


def test_a_segment_without_its_magic_is_read_all_the_same() -> None:
    """A disk that filled up at the first write may have left it out."""
    assert list(read(encode(b"t", b"k", b"v"))) == [Frame(b"t", b"k", b"v")]
