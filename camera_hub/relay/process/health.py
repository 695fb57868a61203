"""The relay process's own memory. How late and how busy its loop is: event_loop.LoopMeter."""

import os

_PAGE = os.sysconf("SC_PAGE_SIZE")


def rss_bytes() -> int:
    """Resident memory of this process (proc_pid_statm(5): second field, in pages)."""
    with open("/proc/self/statm", "rb") as statm:
        return int(statm.read().split()[1]) * _PAGE
