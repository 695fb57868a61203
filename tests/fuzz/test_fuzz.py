"""Everything that reads what strangers send, under the fuzzer: short here, long with CAMERA_HUB_LONG=1 or by
`python -m tests.fuzz`.
"""

import os
import random
import time

import pytest

from tests.fuzz.corpus import CORPUS, corpus, files
from tests.fuzz.mutate import mutate
from tests.fuzz.targets import TARGETS

ROUNDS = 20_000 if os.environ.get("CAMERA_HUB_LONG") else 400
COSTLY = {"soap": 4, "sheet": 4}
"""Targets of which only every so many rounds are run: zeep takes its time, and so do thousands of rows."""
SLOWEST = 5.0
"""Seconds of processor time in which any input must be read or refused; typical ones take less than a millisecond."""


@pytest.mark.parametrize("name", [path.name for path in files()])
def test_each_file_of_the_corpus_is_borne(name: str) -> None:
    TARGETS[name.partition("-")[0]]((CORPUS / name).read_bytes())


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_mutations_of_the_corpus_are_read_or_refused_never_more(target: str) -> None:
    draw, known = random.Random(target), list(corpus(target).values())
    assert known
    for _ in range(ROUNDS // COSTLY.get(target, 1)):
        data = mutate(draw.choice(known), known, draw)
        began = time.process_time()
        TARGETS[target](data)
        assert time.process_time() - began < SLOWEST


def test_the_same_seed_makes_the_same_bytes() -> None:
    known = list(corpus("sdp").values())
    made = [[mutate(known[0], known, random.Random(seed)) for seed in range(20)] for _ in range(2)]
    assert made[0] == made[1]
    assert len(set(made[0])) > 15
