"""The board: rows that cannot be compared are refused; tables and page show what the rows hold."""

import json
import re
import shutil
import subprocess
from html import unescape

import numpy as np
import pytest
from PIL import Image

from tbd.cli.main import main
from tbd.errors import InputError
from tbd.evaluation.leaderboard import rows as board_rows
from tbd.evaluation.leaderboard import samples
from tbd.evaluation.leaderboard import store as board_store
from tbd.evaluation.leaderboard.columns import best_of, columns_of, ordered
from tbd.evaluation.leaderboard.html import page
from tbd.evaluation.leaderboard.markdown import BEGIN, END, markdown, renew
from tbd.evaluation.scores import Issue, Scores, Value
from tbd.think.emotions import EMOTIONS

TRUTH, STILL = ({"class_path": f"tbd.evaluation.predictors.{name}"} for name in ("GroundTruth", "StillPortrait"))


def scores(mouth: float | None, jerk: float, **changes) -> Scores:
    values = {
        "mouth": Value(absent="it stands still") if mouth is None else Value(values={"value": mouth}, clips=5, error=0.01, better="higher"),
        "jerk": Value(values={"value": jerk}, clips=5, unit="m/s³"),
        "fid": Value(absent="The weights are not here.", better="lower"),
    }
    numbers = {"expected": 5, "found": 5, "scored": 5, "speed": {"seconds_per_second": 0.5}, "memory": {"peak_mb": 900.0}}
    origin = {"protocol": "fake-v1", "protocol_hash": "a" * 64, "split": "b" * 64}
    return Scores(**{"metrics": values, **origin, **numbers, **changes})


@pytest.fixture
def store(tmp_path):
    """A board of four rows."""
    rows = {
        "Ground truth": scores(1.0, 100, predictor=TRUTH),
        "Ours <b>": scores(0.6, 90, issues=[Issue(kind="length", clip="F001", detail="too short")], scored=4),
        "Theirs": scores(0.5, 300, speed={}, memory={}),
        "Still portrait": scores(None, 0, predictor=STILL),
    }
    for name, measured in rows.items():
        measured.save(tmp_path / "scores.json")
        board_rows.add(tmp_path / "board", tmp_path / "scores.json", name, code="https://example.org/x", note=f"This is {name}.")
    return tmp_path / "board"


def put(store, tmp_path, name: str = "Another", **changes):
    scores(0.4, 80, **changes).save(tmp_path / "new.json")
    return board_rows.add(store, tmp_path / "new.json", name)


def test_rows_are_read_back(store):
    (table,) = board_store.read_board(store)
    assert [entry.name for entry in ordered(table.measured)] == ["Ground truth", "Ours <b>", "Theirs", "Still portrait"]
    assert table.measured[0].scores.seal() == table.measured[0].scores.checksum


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"protocol_hash": "c" * 64}, "another version of fake-v1"),
        ({"split": "c" * 64}, "other clips"),
        ({"content": "c" * 64}, "other clips"),
    ],
)
def test_what_cannot_be_compared_is_refused(store, tmp_path, changes, said):
    with pytest.raises(InputError, match=said):
        put(store, tmp_path, **changes)
    assert not (store / "fake-v1" / "another.json").exists()


def test_other_weights_are_refused(store, tmp_path):
    put(store, tmp_path, "Ground truth 2", weights={"syncnet_v2": "d" * 64})
    with pytest.raises(InputError, match="another file syncnet_v2"):
        put(store, tmp_path, "Zed", weights={"syncnet_v2": "e" * 64})


def test_scores_without_a_number_are_refused(store, tmp_path):
    absent = {name: Value(absent="No clip has a face.") for name in ("mouth", "jerk")}
    with pytest.raises(InputError, match=r"new.json holds no number: no clip could be measured: No clip has a face\.$"):
        put(store, tmp_path, metrics=absent)
    assert not (store / "fake-v1" / "another.json").exists()


def test_a_shipped_protocol_has_its_own_hash(tmp_path):
    measured = scores(0.5, 1).model_copy(update={"protocol": "procedural-v1"})
    measured.save(tmp_path / "s.json")
    with pytest.raises(InputError, match="than tbd ships"):
        board_rows.add(tmp_path / "board", tmp_path / "s.json", "mine")


def test_a_row_is_replaced_only_on_demand(store, tmp_path):
    with pytest.raises(InputError, match="--replace"):
        put(store, tmp_path, "Theirs")
    scores(0.7, 1).save(tmp_path / "new.json")
    path = board_rows.add(store, tmp_path / "new.json", "Theirs", replace=True)
    assert board_store.Entry.model_validate_json(path.read_text()).scores.metrics["mouth"].number == 0.7


def test_a_row_edited_by_hand_is_refused(store):
    path = store / "fake-v1" / "theirs.json"
    path.write_text(path.read_text().replace("0.5", "0.9", 1))
    with pytest.raises(InputError, match=r"theirs\.json was changed after"):
        board_store.read_board(store)


def test_broken_rows_are_named(store):
    (store / "fake-v1" / "x.json").write_text("{}")
    with pytest.raises(InputError, match=r"x\.json is no row"):
        board_store.read_board(store)


def test_an_empty_board_says_how_to_begin(tmp_path):
    with pytest.raises(InputError, match="tbd leaderboard add"):
        board_store.read_board(tmp_path / "nowhere")


def test_best_leaves_the_bounds_out_and_looks_to_the_truth(store):
    (table,) = board_store.read_board(store)
    best = {column.name: best_of(column, table.measured) for column in columns_of(table)}
    assert best["mouth"] == {"Ours <b>"} and best["jerk"] == {"Ours <b>"}  # 90 is nearer to the truth's 100 than 300
    assert "fid" not in best and best["speed"] == set()  # one row alone is not best of anything


def test_reported_numbers_stay_apart(store, capsys):
    command = ["leaderboard", "report", f"--board={store}", "--protocol=fake-v1", "--name=Paper", "--citation=X et al., table 2"]
    assert main([*command, "--metric=mouth=0.99", "--metric=fid=19.7"]) == 0
    assert main([*command, "--metric=mouth", "--replace"]) == 2
    (table,) = board_store.read_board(store)
    assert [e.name for e in table.reported] == ["Paper"] and "Paper" not in [e.name for e in table.measured]
    text = markdown(table)
    measured, reported = text.split("Reported by others")
    assert "0.99" not in measured and "0.99" in reported and "X et al., table 2" in reported


def test_markdown_between_markers(store, tmp_path):
    path = tmp_path / "README.md"
    path.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    tables = board_store.read_board(store)
    renew(path, tables)
    once = path.read_text()
    renew(path, tables)
    assert path.read_text() == once and once.startswith("before\n") and once.endswith("after\n") and "old" not in once
    assert "| **0.600** |" in once and "4 of 5" in once
    path.write_text("no markers")
    with pytest.raises(InputError, match="lacks the markers"):
        renew(path, tables)


def test_the_page_says_all_and_trusts_nobody(store):
    text = page(board_store.read_board(store))
    assert "Ours &lt;b&gt;" in text and "Ours <b>" not in text
    assert "4 scored, 1 failed" in text and "too short" in text and "The weights are not here." in text
    assert not re.search(r'(src|href)="(?!data:|#|https://example)', text)  # one file, nothing fetched


def test_build_writes_both(store, tmp_path, capsys):
    readme = tmp_path / "README.md"
    readme.write_text(f"{BEGIN}\n{END}\n")
    assert main(["leaderboard", "build", f"--board={store}", f"--readme={readme}"]) == 0
    assert (store / "index.html").is_file() and "Theirs" in readme.read_text()


def test_another_board_leaves_this_folders_readme_alone(store, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "benchmarks" / "leaderboard").mkdir(parents=True)
    readme = tmp_path / "benchmarks" / "README.md"
    readme.write_text(f"before\n{BEGIN}\n{END}\nafter\n")
    assert main(["leaderboard", "build", f"--board={store}"]) == 0
    assert readme.read_text() == f"before\n{BEGIN}\n{END}\nafter\n"
    assert main(["leaderboard", "build", f"--board={store}", f"--readme={readme}"]) == 0 and "###" in readme.read_text()
    assert main(["leaderboard", "build", f"--board={store}", "--readme=nowhere.md"]) == 2
    assert "no file nowhere.md" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("chromium") is None, reason="a browser is needed (apt-get install chromium)")
def test_the_page_sorts_in_a_browser(store, tmp_path):
    """Press the heading of a column where more is better: the greatest first, absent numbers last; again, the other way round."""
    press = """<script>
      const fits = document.documentElement.scrollWidth <= innerWidth;
      const pictures = [...document.images].map((image) => image.naturalWidth);
      const order = () => [...document.querySelectorAll("tbody th")].map((cell) => cell.dataset.value);
      const button = document.querySelectorAll("thead button")[1], seen = [order()];
      button.click(); seen.push(order()); button.click(); seen.push(order());
      const pre = document.createElement("pre");
      pre.textContent = JSON.stringify({seen, fits, pictures, sort: button.parentElement.getAttribute("aria-sort")});
      document.body.replaceChildren(pre);
    </script>"""
    Image.new("RGB", (768, 96), "red").save(store / "fake-v1" / "theirs.jpg")
    path = tmp_path / "page.html"
    path.write_text(page(board_store.read_board(store)).replace("</body>", press + "</body>"))
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--window-size=400,900",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--virtual-time-budget=2000",
    ]
    dom = subprocess.run(["chromium", *flags, "--dump-dom", path.as_uri()], capture_output=True, text=True, timeout=120).stdout
    found = json.loads(unescape(re.search(r"<pre>(.*?)</pre>", dom, re.S)[1]))
    first, down, up = found["seen"]
    assert first == ["Ground truth", "Ours <b>", "Theirs", "Still portrait"] == down
    assert up == ["Theirs", "Ours <b>", "Ground truth", "Still portrait"] and found["sort"] == "ascending"
    assert found["fits"] and found["pictures"] == [768]  # on a narrow screen nothing but tables reaches beyond its side


def test_samples_show_each_emotion_once_and_at_its_strongest(tmp_path, truth):
    names = [f"M003_{emotion}_{level}_00{n}.mp4" for emotion in EMOTIONS for level in (1, 3) for n in (1, 2)]
    assert [p.name for p in samples.choose([tmp_path / n for n in names])] == [f"M003_{e}_{3}_001.mp4" for e in sorted(EMOTIONS)]
    samples.save_samples(truth, tmp_path / "strip.jpg")  # five clips of five emotions
    strip = np.asarray(Image.open(tmp_path / "strip.jpg"))
    assert strip.shape == (96, 5 * 96, 3) and strip.std() > 20
    with pytest.raises(InputError, match="no videos"):
        samples.save_samples(tmp_path / "nowhere", tmp_path / "strip.jpg")
