"""Everything that reads what strangers send, under the fuzzer: `python -m tests.relay.fuzz` looks for longer."""

import random

import pytest

from tests.relay.fuzz.corpus import CORPUS, corpus
from tests.relay.fuzz.mutate import mutate
from tests.relay.fuzz.targets import TARGETS

ROUNDS = 400


@pytest.mark.parametrize("name", sorted(path.name for path in CORPUS.iterdir()))
def test_each_file_of_the_corpus_is_borne(name: str) -> None:
    TARGETS[name.partition("-")[0]]((CORPUS / name).read_bytes())


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_mutations_of_the_corpus_are_read_or_refused_never_more(target: str) -> None:
    draw, known = random.Random(target), list(corpus(target).values())
    assert known
    for _ in range(ROUNDS):
        TARGETS[target](mutate(draw.choice(known), known, draw))


def test_the_same_seed_makes_the_same_bytes() -> None:
    known = list(corpus("sdp").values())
    made = [[mutate(known[0], known, random.Random(seed)) for seed in range(20)] for _ in range(2)]
    assert made[0] == made[1]
    assert len(set(made[0])) > 15
