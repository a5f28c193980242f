"""Ties a process to its parent's life: when the parent is gone, however it ended, the kernel signals the process."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1

# Only Linux has it.
_prctl = getattr(ctypes.CDLL(None), "prctl", None)


def tether(parent: int, number: int = signal.SIGKILL) -> None:
    """Called in a fresh child, with the process id of its parent and the signal to get when that has ended."""
    if _prctl is None:
        return
    _prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:
        # It was gone before the kernel knew.
        os.kill(os.getpid(), number)
