"""Filled holes: what is allocated after it lies on new pages."""

from __future__ import annotations

import subprocess
import sys

_HOLES = """
import ctypes
from agent import heap
libc = ctypes.CDLL(None)
libc.malloc.argtypes, libc.malloc.restype = (ctypes.c_size_t,), ctypes.c_void_p
libc.free.argtypes = (ctypes.c_void_p,)
SIZES = (200, 700, 3000)
chunks = [libc.malloc(size) for _ in range(300) for size in SIZES]
blocks = [bytes(167) for _ in range(3000)]
for chunk in chunks[::2]:
    libc.free(chunk)
pools = {id(block) >> 14 for block in blocks}
del blocks[::2]
FILL
print(sum(libc.malloc(size) < max(chunks) for _ in range(50) for size in SIZES),
      sum(id(block) >> 14 in pools for block in [bytes(167) for _ in range(500)]))
heap.trim()
"""


def _in_holes(fill: str) -> tuple[int, int]:
    done = subprocess.run(
        [sys.executable, "-c", _HOLES.replace("FILL", fill)], capture_output=True, text=True, check=True
    )
    chunks, blocks = done.stdout.split()
    return int(chunks), int(blocks)


def test_nothing_is_put_into_a_hole_after_plugging() -> None:
    chunks, blocks = _in_holes("pass")
    assert chunks > 100, "the holes are there to be filled"
    assert blocks > 400, "the holes are there to be filled"
    # The first of each size may be one that a free pool or the allocator's own cache had in hand.
    chunks, blocks = _in_holes("heap.plug()")
    assert chunks < 10
    assert blocks < 100
