"""The routes under which a browser fetches what its session has drawn: by a token that only its page knows, never by a path."""

from typing import TYPE_CHECKING

from tbd.studio.fragments import FILES
from tbd.studio.session import Session, SessionStore

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route


def file_routes(store: SessionStore) -> "list[Route]":
    """Make the routes.

    Args:
        store: The open tabs.

    Returns:
        Routes for Starlette.
    """
    from starlette.responses import FileResponse, PlainTextResponse
    from starlette.routing import Route

    async def fetch(request: "Request") -> "Response":
        known = request.path_params
        session = store.by_token(known["token"])
        path = None if session is None else _files(session).get((known["folder"], known["name"]))
        if path is None or not path.is_file():
            return PlainTextResponse("There is no such file; it goes when its tab is closed or a new one is drawn.", 404)
        kind = "attachment" if "download" in request.query_params else "inline"
        headers = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
        return FileResponse(path, filename=path.name, content_disposition_type=kind, headers=headers)

    return [Route(f"/{FILES}/{{token}}/{{folder}}/{{name}}", fetch, methods=["GET"])]


def _files(session: Session) -> dict:
    """(folder, name) → file of everything that the page shows."""
    results = [result for result in (session.preview, session.result, session.kept) if result is not None]
    return {(path.parent.name, path.name): path for result in results for path in (result.video, *result.downloads.values())}
