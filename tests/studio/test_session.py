"""Tabs come and go, and take their files along."""

from pathlib import Path

from tbd.studio.limits import MAX_IDLE, MAX_SESSIONS
from tbd.studio.session import SessionStore


def store_with_clock(folder: Path) -> tuple[SessionStore, list[float]]:
    now = [0.0]
    return SessionStore(folder, lambda: now[0]), now


def test_a_closed_tab_leaves_nothing(tmp_path):
    store, _ = store_with_clock(tmp_path)
    session = store.get("a")
    session.new_file("x.mp4").write_bytes(b"x")
    store.close("a")
    assert not list(tmp_path.iterdir()) and session.stopped.is_set() and len(store) == 0
    store.close("a")


def test_an_upload_that_no_event_has_named_goes_with_the_last_tab(tmp_path):
    uploads = tmp_path / "uploads"
    (uploads / "1234").mkdir(parents=True)
    (uploads / "1234" / "me.jpg").write_bytes(b"x")
    store = SessionStore(tmp_path, uploads=uploads)
    for tab in ("one", "two"):
        store.get(tab)
    store.close("one")
    assert list(uploads.iterdir())  # it may be the other's, whose event waits
    store.close("two")
    assert not list(uploads.iterdir())


def test_an_upload_that_two_tabs_share_goes_with_the_last(tmp_path):
    (tmp_path / "sessions").mkdir()
    store, _ = store_with_clock(tmp_path / "sessions")
    upload = tmp_path / "upload" / "me.jpg"
    upload.parent.mkdir()
    upload.write_bytes(b"x")
    for tab in "ab":
        store.get(tab).uploads.add(upload)
    store.close("a")
    assert upload.exists()
    store.close("b")
    assert not upload.parent.exists()


def test_forgotten_tabs_are_swept(tmp_path):
    store, now = store_with_clock(tmp_path)
    first = store.get("a")
    now[0] = MAX_IDLE + 1
    store.get("b")
    assert first.stopped.is_set() and len(store) == 1


def test_there_are_never_more_than_so_many(tmp_path):
    store, now = store_with_clock(tmp_path)
    for i in range(MAX_SESSIONS + 3):
        now[0] = float(i)
        store.get(str(i))
    assert len(store) == MAX_SESSIONS == len(list(tmp_path.iterdir()))


def test_only_its_token_opens_a_session(tmp_path):
    store, _ = store_with_clock(tmp_path)
    a, b = store.get("a"), store.get("b")
    assert a.token != b.token and store.by_token(a.token) is a and store.by_token("") is None and store.by_token("ü") is None
