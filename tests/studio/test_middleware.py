"""Uploads are refused before they are read, and the studio's folder has another name outside."""

import asyncio
import json
from pathlib import Path

import pytest

from tbd.studio.middleware import TOO_LARGE, FolderAlias, UploadGuard

FOLDER = Path('/tmp/of "me"/tbd-studio-x')


def ask(app, method="GET", path="/", headers=(), pieces=(b"",)):
    """Status, headers and body of an answer."""
    waiting = [{"type": "http.request", "body": piece, "more_body": i < len(pieces) - 1} for i, piece in enumerate(pieces)]
    sent = []

    async def receive():
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": [*headers]}
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(message["body"] for message in sent[1:])


def app_of(answer, kind=b"application/json", seen=None, status=200):
    async def app(scope, receive, send):
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message["more_body"]:
                break
        if seen is not None:
            seen.append((scope["path"], body))
        pieces = answer if isinstance(answer, list) else [answer]
        length = str(sum(map(len, pieces))).encode()
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", kind), (b"content-length", length)]})
        for i, piece in enumerate(pieces):
            await send({"type": "http.response.body", "body": piece, "more_body": i < len(pieces) - 1})

    return app


def test_what_is_too_large_is_refused_before_it_is_read():
    seen = []
    status, _, body = ask(UploadGuard(app_of(b"{}", seen=seen)), "POST", "/gradio_api/upload", [(b"content-length", b"%d" % 2**31)])
    assert (status, body.decode(), seen) == (413, TOO_LARGE, [])


def test_what_gradio_refuses_is_said_in_the_studio_s_words():
    status, headers, body = ask(UploadGuard(app_of(b"67108864 bytes", b"text/plain", status=413)), "POST", "/gradio_api/upload")
    assert (status, body.decode(), headers[b"content-length"]) == (413, TOO_LARGE, str(len(TOO_LARGE)).encode())


def test_screens_are_not_recorded():
    assert ask(UploadGuard(app_of(b"{}")), "POST", "/gradio_api/process_recording")[0] == 404


def test_half_a_form_ends_as_no_form():
    """Gradio removes what it has of a form that is none; `test_layout` shows it with Gradio."""
    from python_multipart.exceptions import MultipartParseError
    from python_multipart.multipart import MultipartParser

    start = b'--xy\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nabc'
    for cut in range(1, len(start)):
        read = []

        async def app(scope, receive, send, read=read):
            while (message := await receive())["type"] == "http.request":
                read.append(message["body"])
                if not message["more_body"]:
                    break
            await send({"type": "http.response.start", "status": 400, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        async def serve(app=app, cut=cut):
            messages = [{"type": "http.request", "body": start[:cut], "more_body": True}, {"type": "http.disconnect"}]

            async def receive():
                return messages.pop(0)

            async def send(message):
                pass

            headers = [(b"content-type", b"multipart/form-data; boundary=xy")]
            await UploadGuard(app)({"type": "http", "method": "POST", "path": "/upload", "headers": headers}, receive, send)

        asyncio.run(serve())
        with pytest.raises(MultipartParseError):
            parser = MultipartParser(b"xy", {})
            for piece in read:
                parser.write(piece)


@pytest.mark.parametrize("pieces", [1, 3])
def test_the_folder_has_another_name_outside(pieces):
    body = json.dumps({"path": f"{FOLDER}/uploads/a b.png", "other": "/studio"}).encode()
    cut = len(body) // pieces + 1
    _, headers, sent = ask(FolderAlias(app_of([body[i : i + cut] for i in range(0, len(body), cut)]), FOLDER))
    assert json.loads(sent) == {"path": "/studio/uploads/a b.png", "other": "/studio"} and int(headers[b"content-length"]) == len(sent)


def test_events_are_sent_one_by_one():
    events = [b'data: {"path": "/tmp/of \\"me\\"/tbd-studio-x/a"}\n\n', b"data: 2\n\n"]
    assert ask(FolderAlias(app_of(events, b"text/event-stream"), FOLDER))[2] == b'data: {"path": "/studio/a"}\n\ndata: 2\n\n'


def test_the_alias_is_the_folder_inside():
    seen = []
    json_ = [(b"content-type", b"application/json")]
    body = json.dumps({"path": "/studio/a.png"}).encode()
    ask(FolderAlias(app_of(b"{}", seen=seen), FOLDER), "POST", "/queue/join", json_, [body[:12], body[12:]])
    ask(FolderAlias(app_of(b"{}", seen=seen), FOLDER), path="/gradio_api/file=/studio/a.png")
    assert json.loads(seen[0][1]) == {"path": f"{FOLDER}/a.png"} and seen[1][0] == f"/gradio_api/file={FOLDER}/a.png"


def test_pictures_and_films_pass_as_they_are():
    data = f"{FOLDER}/x".encode()
    assert ask(FolderAlias(app_of(data, b"image/png"), FOLDER))[2] == data
