"""The memory that a page's script keeps alive, read over Chromium's developer connection (CDP).

`JSHeapUsedSize` after a collection holds more than that: V8 compiles what runs often, for minutes after a page has been
opened, and keeps what it has compiled. A heap snapshot tells the two apart.
"""

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.async_api import CDPSession

COLLECTIONS = 3
"""Objects of V8 that hold elements of the document, and the reverse, go one after the other."""
_NATIVE = "native"  # of the document, not of the script's heap; V8's own tables are among them by name
_TABLES = "system / "


@dataclass(frozen=True, slots=True)
class PageHeap:
    """Bytes in the script's heap. `code`: what V8 has compiled, and its feedback; `objects`: everything else; `counts`:
    the number of objects by constructor."""

    objects: int
    code: int
    counts: Counter[str]


async def page_metrics(tools: "CDPSession") -> dict[str, float]:
    """After a collection: JSHeapUsedSize (bytes), Nodes, JSEventListeners … `Performance.enable` comes before."""
    for _ in range(COLLECTIONS):
        await tools.send("HeapProfiler.collectGarbage")
    return {one["name"]: one["value"] for one in (await tools.send("Performance.getMetrics"))["metrics"]}


async def page_heap(tools: "CDPSession") -> PageHeap:
    """Take a snapshot; the page stands still for about a second meanwhile."""
    chunks: list[str] = []

    def more(event: dict[str, Any]) -> None:
        chunks.append(event["chunk"])

    tools.on("HeapProfiler.addHeapSnapshotChunk", more)
    try:
        await tools.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    finally:
        tools.remove_listener("HeapProfiler.addHeapSnapshotChunk", more)
    return parsed("".join(chunks))


def parsed(snapshot: str) -> PageHeap:
    """What a heap snapshot (JSON, as Chromium writes it) says."""
    found = json.loads(snapshot)
    meta, nodes, strings = found["snapshot"]["meta"], found["nodes"], found["strings"]
    fields, kinds = meta["node_fields"], meta["node_types"][0]
    kind_at, name_at, size_at = fields.index("type"), fields.index("name"), fields.index("self_size")
    objects = code = 0
    counts: Counter[str] = Counter()
    for start in range(0, len(nodes), len(fields)):
        kind, name, size = kinds[nodes[start + kind_at]], strings[nodes[start + name_at]], nodes[start + size_at]
        if kind == "code":
            code += size
        elif kind != _NATIVE or name.startswith(_TABLES):
            objects += size
        if kind == "object":
            counts[name] += 1
    return PageHeap(objects, code, counts)
