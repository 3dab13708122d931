"""A small disk of its own for a directory, which can be filled: a tmpfs, which only root may mount."""

import errno
import os
import subprocess
from pathlib import Path

_SPARE = 4096


def may_mount(directory: Path) -> bool:
    """Whether this process can mount a tmpfs below *directory*."""
    probe = Disk(directory / "probe", 1 << 20)
    probe.mount()
    is_mounted = probe.is_mounted
    probe.unmount()
    return is_mounted


class Disk:
    """*directory*, on a tmpfs of *size* bytes where that is not 0 and may be mounted."""

    def __init__(self, directory: Path, size: int) -> None:
        self.directory = directory
        self._size = size
        self._filler = directory / "filler"

    @property
    def is_mounted(self) -> bool:
        return os.path.ismount(self.directory)

    def mount(self) -> None:
        """Make the directory, on a disk of its own if that can be."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if self._size:
            command = ["mount", "-t", "tmpfs", "-o", f"size={self._size},mode=700", "tmpfs", str(self.directory)]
            subprocess.run(command, capture_output=True, check=False)

    def unmount(self) -> None:
        """Give the disk back, with all that is on it."""
        if self.is_mounted:
            subprocess.run(["umount", "-l", str(self.directory)], capture_output=True, check=False)

    def fill(self) -> None:
        """Leave no room. What somebody else gives back meanwhile is taken at the next call."""
        with self._filler.open("ab") as filler:
            size = filler.tell()
            step = 1 << 24
            while step >= _SPARE:
                try:
                    os.posix_fallocate(filler.fileno(), size, step)
                    size += step
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    step //= 2

    def is_full(self) -> bool:
        """Whether not even a page can be written."""
        return os.statvfs(self.directory).f_bavail == 0

    def empty(self) -> None:
        """Give the room back."""
        self._filler.unlink(missing_ok=True)
