"""malloc gives memory back: asked of a process that frees a large block, with and without."""

import os
import subprocess
import sys

import pytest

from camera_hub import allocator
from camera_hub.media.child_process import environment

BLOCK = 20 * 1024 * 1024
PROGRAM = f"""
import ctypes, sys, threading
if sys.argv[1] == "here":
    from camera_hub.allocator import give_back
    give_back()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]

def rss():
    return next(int(line.split()[1]) for line in open("/proc/self/smaps_rollup") if line.startswith("Rss:")) * 1024

def use():
    for _ in range(2):  # the first one raises glibc's own threshold, the second one would stay
        place = libc.malloc({BLOCK})
        ctypes.memset(place, 1, {BLOCK})
        small = libc.malloc(100_000)  # behind it
        libc.free(place)

before = rss()
thread = threading.Thread(target=use)
thread.start()
thread.join()
print((rss() - before) // {BLOCK // 2})
"""


def kept(how: str, variables: dict[str, str]) -> int:
    """Halves of the block that are still resident."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how],
        env={**os.environ, **variables},
        capture_output=True,
        timeout=60,
        check=True,
    )
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's")
def test_a_large_block_that_is_freed_goes_back_to_the_system() -> None:
    assert kept("", {}) == 2, "glibc by itself; if this fails, camera_hub.allocator is no longer needed"
    assert kept("here", {}) == 0
    assert kept("", allocator.environment()) == 0


def test_helper_processes_are_started_with_it() -> None:
    assert environment({}).items() >= allocator.environment().items()
