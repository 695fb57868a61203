"""Look for crashers: each kind of crash becomes a file in corpus/, to be kept with its mend."""

import argparse
import hashlib
import random
import sys
import time
import traceback

from tests.fuzz.corpus import CORPUS, corpus
from tests.fuzz.mutate import mutate
from tests.fuzz.targets import TARGETS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20_000, help="mutations of each target")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--target", choices=sorted(TARGETS), action="append", help="default: all")
    options = parser.parse_args()
    crashes: set[tuple[str, int | None]] = set()
    for target in options.target or sorted(TARGETS):
        draw = random.Random(f"{target} {options.seed}")
        known = list(corpus(target).values())
        slowest = 0.0
        for _ in range(options.rounds):
            data = mutate(draw.choice(known), known, draw)
            began = time.process_time()
            try:
                TARGETS[target](data)
            except Exception as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                if (where.filename, where.lineno) in crashes:
                    continue
                crashes.add((where.filename, where.lineno))
                name = f"{target}-crash-{hashlib.sha256(data).hexdigest()[:12]}.bin"
                (CORPUS / name).write_bytes(data)
                sys.stdout.write(f"{name}: {type(error).__name__}: {str(error)[:100]}\n")
            slowest = max(slowest, time.process_time() - began)
        sys.stdout.write(f"{target}: {options.rounds} mutations, slowest {slowest * 1000:.0f} ms\n")
    return 1 if crashes else 0


if __name__ == "__main__":
    sys.exit(main())
