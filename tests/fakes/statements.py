"""Which statements a test sends to SQLite, and with it whether its run on PostgreSQL can show anything new.

The suite's second database is there to prove queries. Of a file's tests many send the same ones: those of the hub's
start, of signing in, of a route with other values. The statements themselves tell what no earlier test of the file has
tried there, so that nobody has to keep a list.
"""

import re
from functools import lru_cache

_VALUES = re.compile(r"\?(?:, \?)+")
_ROWS = re.compile(r"\(\?\)(?:, \(\?\))+")


@lru_cache(maxsize=10_000)
def _shape(statement: str) -> str:
    """The statement, however many values are in a list of it."""
    return _ROWS.sub("(?)", _VALUES.sub("?", statement))


class Statements:
    """Those of the files of one run, whose tests come one after the other, on SQLite first."""

    def __init__(self) -> None:
        self._sent: set[tuple[str, bool]] = set()
        self._file = ""
        self._by_test: dict[str, set[tuple[str, bool]]] = {}
        self._tried: set[tuple[str, bool]] = set()

    def note(self, statement: str, rows: int) -> None:
        """It was sent to SQLite. Answering several rows is something else than one or none: their order may differ."""
        shape = _shape(statement)
        self._sent.add((shape, False))
        if rows > 1:
            self._sent.add((shape, True))

    def begin(self, file: str) -> None:
        """A test of that file begins."""
        self._sent = set()
        if file != self._file:
            self._file = file
            self._by_test, self._tried = {}, set()

    def passed_on_sqlite(self, test: str) -> None:
        """The test that began last has passed there."""
        self._by_test[test] = self._sent

    def new_on_postgres(self, test: str) -> bool:
        """Whether it is to be run there, too. Then what it sends has been tried."""
        sent = self._by_test.get(test)
        if sent is None:  # it was not run on SQLite, or did not pass
            return True
        if sent <= self._tried:
            return False
        self._tried |= sent
        return True


STATEMENTS = Statements()
