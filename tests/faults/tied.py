"""Runs a command that the kernel ends with its parent, however that ended: `python -m tests.faults.tied COMMAND...`."""

import os
import sys

from config.tether import tether

tether(os.getppid())
os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - the tests say what runs
