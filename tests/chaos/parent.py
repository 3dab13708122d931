"""A process that ends when the one that started it does, however that ended."""

import ctypes
import os
import signal

PARENT = "CHAOS_PARENT"
"""The variable that names the process which started this one."""

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Let the kernel send SIGKILL, which a frozen process obeys too, when the parent dies (prctl(2))."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(os.environ.get(PARENT, os.getppid())):
        os.kill(os.getpid(), signal.SIGKILL)
