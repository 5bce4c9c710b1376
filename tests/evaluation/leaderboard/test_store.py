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
from tbd.evaluation.leaderboard import samples
from tbd.evaluation.leaderboard import store as board_store
from tbd.evaluation.leaderboard.columns import best_of, columns_of, ordered, truth_of
from tbd.evaluation.leaderboard.html import page
from tbd.evaluation.leaderboard.markdown import BEGIN, END, markdown, renew
from tbd.evaluation.leaderboard.verification import Verification, digest, write_record
from tbd.evaluation.scores import Issue, Scores, Value
from tbd.think.emotions import EMOTIONS
from tbd.utils.packaged_files import shipped_folder
from tbd.utils.user_warnings import collect_warnings

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
        board_store.add(tmp_path / "board", tmp_path / "scores.json", name, code="https://example.org/x", note=f"This is {name}.")
    return tmp_path / "board"


def put(store, tmp_path, name: str = "Another", **changes):
    scores(0.4, 80, **changes).save(tmp_path / "new.json")
    return board_store.add(store, tmp_path / "new.json", name)


def test_rows_are_read_back(store):
    (table,) = board_store.read_board(store)
    assert [entry.name for entry in ordered(table)] == ["Ground truth", "Ours <b>", "Theirs", "Still portrait"]
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
    none = {name: Value(absent="No clip could be measured.") for name in ("mouth", "jerk")}
    with pytest.raises(InputError, match=r"no clip could be measured: F001: it shows no face\.$"):
        put(store, tmp_path, metrics=none, scored=0, issues=[Issue(kind="no_face", clip="F001", detail="it shows no face.")])


def test_a_protocol_that_leads_out_of_the_board_is_refused(store, tmp_path):
    with pytest.raises(InputError, match="no protocol's id"):
        put(store, tmp_path, protocol="../fake-v1")
    assert not (tmp_path / "fake-v1").exists()


def test_a_shipped_protocol_has_its_own_hash(tmp_path):
    measured = scores(0.5, 1).model_copy(update={"protocol": "procedural-v2"})
    measured.save(tmp_path / "s.json")
    with pytest.raises(InputError, match="than tbd ships"):
        board_store.add(tmp_path / "board", tmp_path / "s.json", "mine")


def test_a_row_is_replaced_only_on_demand(store, tmp_path):
    with pytest.raises(InputError, match="--replace"):
        put(store, tmp_path, "Theirs")
    scores(0.7, 1).save(tmp_path / "new.json")
    path = board_store.add(store, tmp_path / "new.json", "Theirs", replace=True)
    assert board_store.Entry.model_validate_json(path.read_text()).scores.metrics["mouth"].number == 0.7


def edited(path, **scores) -> None:
    """An edit by somebody who knows the format: the checksum is written anew, as `Scores.save` does."""
    entry = board_store.Entry.model_validate_json(path.read_text())
    changed = entry.scores.model_copy(update=scores)
    sealed = changed.model_copy(update={"checksum": changed.seal()})
    path.write_text(entry.model_copy(update={"scores": sealed}).model_dump_json())


TAMPERED = {
    "edited by hand": (lambda path: path.write_text(path.read_text().replace("0.5", "0.9", 1)), r"theirs\.json was changed after"),
    "no row": (lambda path: path.write_text("{}"), r"theirs\.json is no row"),
    "no JSON": (lambda path: path.write_text("PSNR 55"), r"theirs\.json is no row"),
    "no text": (lambda path: path.write_bytes(b"\xff\xfe\x00"), r"theirs\.json is no row"),
    "of another protocol": (lambda path: path.write_text(path.read_text().replace('"fake-v1"', '"other-v1"', 1)), "scores of fake-v1"),
    "of another version": (lambda path: edited(path, protocol_hash="c" * 64), "another version of fake-v1"),
    "of other clips": (lambda path: edited(path, split="c" * 64), "other clips than"),
    "of other files": (lambda path: edited(path, content="c" * 64), "other clips than"),
    "another row's file": (lambda path: path.with_name("copy.json").write_text(path.read_text()), r"copy\.json holds the row Theirs"),
    "more scored than found": (lambda path: path.write_text(path.read_text().replace('"found": 5', '"found": 4', 1)), "no row"),
    "of no machine": (lambda path: edited(path, predicted_on={"load": "low", "packages": []}), "no row"),
    "not a number": (lambda path: path.write_text(path.read_text().replace("0.5", "NaN", 1)), "no row"),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_tampered_row_is_named_and_left_out_and_keeps_no_other_out(store, tmp_path, what):
    tamper, said = TAMPERED[what]
    tamper(store / "fake-v1" / "theirs.json")
    with collect_warnings() as notes:
        path = put(store, tmp_path, "Newcomer")
    assert path.is_file() and len(notes) == 1 and re.search(said, str(notes[0])) and "left out" in str(notes[0])
    with collect_warnings() as notes:
        (table,) = board_store.read_board(store)
    assert len(notes) == 1 and re.search(said, table.left_out[0].reason)
    names = {entry.name for entry in table.measured}
    assert {"Ground truth", "Ours <b>", "Still portrait", "Newcomer"} <= names and ("Theirs" in names) == (what == "another row's file")
    assert re.search(said.replace("\\", ""), markdown(table)) and str(store) not in markdown(table)
    assert "<h3>Left out</h3>" in page([table], store)


def test_one_edited_row_does_not_rule_the_table(store):
    """The first row says that it is of other clips: it is left out, not the others."""
    edited(store / "fake-v1" / "ground-truth.json", split="c" * 64)
    with collect_warnings():
        (table,) = board_store.read_board(store)
    assert {entry.name for entry in table.measured} == {"Ours <b>", "Theirs", "Still portrait"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda metrics: {**metrics, "mine": Value(values={"value": 1.0})}, "do not have the same metrics: mine"),
        (lambda metrics: {k: v for k, v in metrics.items() if k != "psnr"}, "do not have the same metrics: psnr"),
        (lambda metrics: {**metrics, "psnr": metrics["psnr"].model_copy(update={"better": "lower"})}, "better the other way"),
    ],
)
def test_a_row_of_a_shipped_protocol_has_its_metrics(tmp_path, change, said):
    board = shutil.copytree(shipped_folder("benchmarks") / "leaderboard", tmp_path / "board")
    row = board_store.Entry.model_validate_json((board / "procedural-v2" / "think-before-draw.json").read_text()).scores
    row.model_copy(update={"metrics": change(row.metrics)}).save(tmp_path / "s.json")
    with pytest.raises(InputError, match=said):
        board_store.add(board, tmp_path / "s.json", "Mine")
    row.model_copy(update={"expected": row.expected + 1}).save(tmp_path / "s.json")
    with pytest.raises(InputError, match="is of 25 clips; procedural-v2 has 24"):
        board_store.add(board, tmp_path / "s.json", "Mine")


def test_an_empty_board_says_how_to_begin(tmp_path):
    with pytest.raises(InputError, match="tbd leaderboard add"):
        board_store.read_board(tmp_path / "nowhere")


def verified(store, *slugs: str) -> board_store.Table:
    """The table, as if the rows had been recomputed."""
    (table,) = board_store.read_board(store)
    for entry in table.measured:
        if entry.slug in slugs:
            truth = entry.slug == "ground-truth"
            record = Verification(row=digest(entry), predictions="e" * 64, date="2026-01-01", difference=0.0, truth=truth)
            write_record(store, entry, record)
    (table,) = board_store.read_board(store)
    return table


EVERY = ("ground-truth", "ours-b", "theirs", "mine", "still-portrait")


def bests(table) -> dict[str, set[str]]:
    return {column.name: best_of(column, table) for column in columns_of(table)}


def test_best_leaves_the_bounds_out_and_looks_to_the_truth(store, tmp_path):
    put(store, tmp_path, "Mine")
    best = bests(verified(store, *EVERY))
    assert best["mouth"] == {"Theirs"} and best["jerk"] == {"Mine"}  # 80 is nearer to the truth's 100 than 300
    assert "fid" not in best and best["speed"] == best["memory"] == set()  # they are the predicting machine's word


def test_only_verified_and_complete_rows_compete(store, tmp_path):
    put(store, tmp_path, "Mine")
    (table,) = board_store.read_board(store)
    assert not any(bests(table).values()) and {table.status(entry) for entry in table.measured} == {"as submitted"}
    assert "**" not in markdown(table) and "| as submitted |" in markdown(table) and "<td><b>" not in page([table], store)
    table = verified(store, "ours-b", "mine", "theirs")  # Ours has the greatest number, over four clips of five
    assert bests(table)["mouth"] == {"Theirs"} and "**0.500**" in markdown(table) and "**0.600**" not in markdown(table)
    assert markdown(table).count("| verified |") == 3 and 'class="status verified">verified' in page([table], store)


def test_nobody_else_sets_what_rows_aim_at(store, tmp_path):
    """A row that says it is the ground truth, verified or not, is a row like others: the aim stays the clips that the board coded."""
    put(store, tmp_path, "Mine")
    scores(0.3, 305, predictor=TRUTH).save(tmp_path / "new.json")
    board_store.add(store, tmp_path / "new.json", "A truth")  # sorted before the board's own, and 300 would be nearest to it
    table = verified(store, *EVERY, "a-truth")
    assert truth_of(table).name == "Ground truth" and bests(table)["jerk"] == {"Mine"}
    assert next(entry.name for entry in ordered(table)) == "Ground truth"
    (store / "fake-v1" / "ground-truth.json").unlink()
    table = verified(store, *EVERY, "a-truth")
    assert truth_of(table) is None and bests(table)["jerk"] == set() and 'class="truth"' not in page([table], store)


def test_a_number_over_fewer_clips_than_others_does_not_compete(store, tmp_path):
    """All five clips were scored, but the metric saw a face in four of them: perhaps the four easy ones."""
    few = Value(values={"value": 0.9}, clips=4, better="higher")
    put(store, tmp_path, "Few", metrics={**scores(0.4, 80).metrics, "mouth": few})
    put(store, tmp_path, "Mine")
    table = verified(store, *EVERY, "few")
    assert bests(table)["mouth"] == {"Theirs"} and "| 0.900 (4) |" in markdown(table) and "over 4 clips" in page([table], store)
    assert "few" in table.verified and bests(table)["jerk"] == {"Few", "Mine"}, "where it is over all, it competes"


def test_clips_that_a_metric_leaves_out_of_every_row_keep_none_from_competing(store, tmp_path):
    """As contempt, which a classifier of seven emotions does not know."""
    for name, number in (("One", 0.2), ("Two", 0.3), ("Ground truth", 0.9)):
        known = Value(values={"value": number}, clips=3, better="higher")
        scores(0.4, 80, metrics={"emotion": known}).save(tmp_path / "new.json")
        board_store.add(tmp_path / "seven", tmp_path / "new.json", name)
    table = verified(tmp_path / "seven", "one", "two", "ground-truth")
    assert bests(table)["emotion"] == {"Two"} and "(3)" not in markdown(table)


def test_a_claimed_file_of_weights_keeps_no_other_row_out(tmp_path):
    """The board lacks ArcFace, so nobody has checked what the first row says of it."""
    board = shutil.copytree(shipped_folder("benchmarks") / "leaderboard", tmp_path / "board")
    for path in (board / "portraits-v1").glob("*.json"):
        if path.stem != "still-portrait":
            path.unlink()
    row = board_store.Entry.model_validate_json((board / "portraits-v1" / "still-portrait.json").read_text()).scores
    csim = Value(values={"value": 0.99}, clips=16, better="higher")
    for name, sha in (("First", "d" * 64), ("Second", "e" * 64)):
        claimed = {"metrics": {**row.metrics, "csim": csim}, "weights": {**row.weights, "arcface-r50": sha}}
        row.model_copy(update=claimed).save(tmp_path / "s.json")
        path = board_store.add(board, tmp_path / "s.json", name)
        entry = board_store.read_row(path)
        but = Verification(row=digest(entry), predictions="e" * 64, date="2026-01-01", difference=0.0, unchecked=("csim",))
        write_record(board, entry, but)
    table = next(table for table in board_store.read_board(board) if table.protocol == "portraits-v1")
    assert {"first", "second"} <= table.verified and not table.left_out and best_of(columns_of(table)[1], table) == set()


def test_an_edited_row_that_was_saved_again_is_as_submitted(store, tmp_path):
    put(store, tmp_path, "Mine")
    verified(store, *EVERY)
    better = {"mouth": Value(values={"value": 0.99}, clips=5, better="higher"), "jerk": Value(values={"value": 100.0}, clips=5)}
    edited(store / "fake-v1" / "mine.json", metrics={**better, "fid": Value(absent="")})
    (table,) = board_store.read_board(store)
    mine = next(entry for entry in table.measured if entry.name == "Mine")
    assert table.status(mine) == "as submitted" and "**0.990**" not in markdown(table)
    edited(store / "fake-v1" / "theirs.json", speed={"seconds_per_second": 0.001})
    (table,) = board_store.read_board(store)
    assert "theirs" not in table.verified and "ground-truth" in table.verified


def test_a_damaged_file_of_records_verifies_nothing(store):
    verified(store, *EVERY)
    (store / "verified.json").write_text("{")
    with collect_warnings() as notes:
        (table,) = board_store.read_board(store)
    assert not table.verified and "no row counts as verified" in str(notes[0])


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
    assert "| 0.600 |" in once and "4 of 5" in once
    path.write_text("no markers")
    with pytest.raises(InputError, match="lacks the markers"):
        renew(path, tables)


@pytest.mark.parametrize(("lag", "said"), [(4.4, "4 frames late"), (-2.0, "2 frames early"), (1.0, None), (0.0, None)])
def test_a_mouth_that_is_right_at_another_time_is_called_late(store, tmp_path, lag, said):
    mouth = Value(values={"correlation": 0.9, "lag": lag}, reported="correlation", clips=5, better="higher")
    put(store, tmp_path, metrics={**scores(0.4, 80).metrics, "mouth": mouth})
    tables = board_store.read_board(store)
    for text in (markdown(tables[0]), page(tables, store)):
        assert (said in text) if said else not re.search(r"frames (late|early)", text)


def test_a_name_is_a_name_in_the_tables_too(store, tmp_path):
    """It can set nothing in bold, and write no rows or links of its own."""
    put(store, tmp_path, "**Best** [x](https://evil.example)\n| Ours | 9.999 | 1 |")
    table = verified(store, *EVERY)
    text = markdown(table)
    row = next(line for line in text.splitlines() if "evil" in line)
    assert "\\*\\*Best\\*\\* \\[x\\](https://evil.example) \\| Ours \\| 9.999" in row and "**Best" not in text
    assert not any(line.startswith("| Ours | 9") for line in text.splitlines())
    head, *rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in rows} == {len(re.findall(r"(?<!\\)\|", head))}


def test_the_page_says_all_and_trusts_nobody(store):
    text = page(board_store.read_board(store), store)
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
    path.write_text(page(board_store.read_board(store), store).replace("</body>", press + "</body>"))
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
