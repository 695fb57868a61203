"""Sheets as bodies: an uploaded one in a file of its own, and one that is handed out to be saved."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import Query, Request, Response
from starlette.concurrency import run_in_threadpool

from camera_hub.sheets.answer import MAX_FILE, refusal
from camera_hub.sheets.language import SheetLanguage

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
UPLOAD: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary", "maxLength": MAX_FILE}}
        },
    }
}
SHEET: Final[dict[str, Any]] = {
    "response_class": Response,
    "responses": {200: {"content": {XLSX: {}}, "description": "The sheet."}},
}
Language = Annotated[SheetLanguage, Query(description="Of headings, words and the file's name: that of the page.")]


@asynccontextmanager
async def received(request: Request) -> AsyncIterator[Path]:
    """The body in a file of its own, which is gone afterwards. Raises HubError(TOO_LARGE)."""
    with tempfile.TemporaryDirectory(prefix="camera-hub-sheet-") as folder:
        path = Path(folder) / "sheet"
        size = 0
        with path.open("wb") as file:
            async for chunk in request.stream():
                size += len(chunk)
                if size > MAX_FILE:
                    raise refusal("sheet_file_large")
                await run_in_threadpool(file.write, chunk)
        yield path


def download(name: str, content: bytes, plain: str = "sheet.xlsx") -> Response:
    """To be saved under that name, or under a plain one where a client cannot read it (RFC 6266, RFC 8187)."""
    shown = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return Response(content, media_type=XLSX, headers={"content-disposition": shown, "cache-control": "no-store"})
