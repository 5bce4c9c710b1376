"""A study from folders to scores: blind files, a page that a browser works through, answers that are read."""

import json
import re
import shutil
import subprocess
from html import unescape

import av
import numpy as np
import pytest

from tbd.cli.main import main
from tbd.errors import InputError
from tbd.evaluation.study.build import build_study
from tbd.evaluation.study.fit import fit_study
from tbd.evaluation.study.key import load_key, load_votes
from tbd.media import VideoWriter, provenance
from tests.cli.refusals import refused

METHODS = ("good", "fair", "poor")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Three methods' videos of three clips, of several sizes; one has no sound. Their tags say whose they are."""
    root = tmp_path_factory.mktemp("methods")
    hum = 0.3 * np.sin(np.arange(8 * 640) * 0.1).astype(np.float32)
    for number, name in enumerate(METHODS):
        for clip in ("a", "b", "c"):
            path = root / name / (f"{clip}.mp4" if number else f"{clip}_out.mp4")
            path.parent.mkdir(exist_ok=True)
            with VideoWriter(path, None if name == "poor" else hum, metadata=provenance(predictor=name)) as writer:
                for value in range(8):
                    writer.write(np.full((48 + 16 * number, 64, 3), 60 * number + 5 * value, np.uint8))
    return {name: root / name for name in METHODS}


@pytest.fixture(scope="module")
def study(folders, tmp_path_factory):
    output = tmp_path_factory.mktemp("made") / "study"
    return build_study(folders, output, ["a", "b", "c"], ("Which is better?", "Which is sharper?"), trials=6, repeats=2, size=64)


def settings(study) -> dict:
    return json.loads(re.search(r'id="data">(.*?)</script>', study.page.read_text("utf-8"))[1])


def test_nothing_says_who_made_a_video(study):
    folder, key = study.page.parent, load_key(study.key)
    videos = sorted(folder.glob("videos/*.mp4"))
    assert (study.clips, study.trials, len(videos)) == (3, 9, 9) and {v.stem for v in videos} == set(key.videos)
    assert study.key.parent == folder.parent  # not where raters get it
    for path in folder.rglob("*"):
        if path.is_file():
            assert not any(name.encode() in path.read_bytes() for name in (*METHODS, "predictor")), path
    shapes = set()
    for video in videos:
        with av.open(str(video)) as container:
            shapes.add((container.streams.video[0].width, container.streams.video[0].height, len(container.streams.audio)))
    assert shapes == {(64, 64, 1)}


def test_pairs_are_of_one_clip_and_two_methods(study):
    key, pairs = load_key(study.key), settings(study)["pairs"]
    assert all(key.videos[a].clip == key.videos[b].clip and key.videos[a].method != key.videos[b].method for a, b, _ in pairs)
    kinds = {number: {key.videos[a].method, key.videos[b].method} for a, b, number in pairs}
    assert len(kinds) == 3 and len({tuple(sorted(kind)) for kind in kinds.values()}) == 3


def answer_all(study, raters: int, prefer) -> list:
    """Answers of raters, of the form that the page writes, kept in a folder."""
    key, pairs = load_key(study.key), settings(study)["pairs"]
    folder = study.page.parent.parent / f"answers{raters}{prefer.__name__}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for rater in range(raters):
        answers = []
        for trial, (a, b, _) in enumerate(pairs):
            left, right = (a, b) if (trial + rater) % 2 else (b, a)
            choice = prefer(key.videos[left].method, key.videos[right].method, rater * 100 + trial)
            answers += [{"left": left, "right": right, "question": q, "choice": choice, "seconds": 3.0} for q in (0, 1)]
        content = {"format": "tbd-answers-1", "study": key.study, "rater": f"r{rater}", "answers": answers}
        (folder / f"answers-{rater}.json").write_text(json.dumps(content))
    return [folder]


def by_name(left: str, right: str, seed: int) -> str:
    """The better one in nine of ten."""
    better = METHODS.index(left) < METHODS.index(right)
    return "left" if better != (np.random.default_rng(seed).random() < 0.1) else "right"


def by_chance(left: str, right: str, seed: int) -> str:
    return "left" if np.random.default_rng(seed).random() < 0.5 else "right"


def test_answers_become_scores(study, tmp_path, capsys):
    folder = answer_all(study, 20, by_name)  # names of videos are drawn anew, and who is asked about whom with them
    assert main(["study", "fit", str(folder[0]), f"--key={study.key}", f"--output={tmp_path / 'r.json'}", "--resamples=200"]) == 0
    results = json.loads((tmp_path / "r.json").read_text())["results"]
    assert [row["name"] for row in results[0]["methods"]] == list(METHODS) and len(results) == 2
    assert all(not row["alike"] for row in results[0]["methods"]) and results[0]["raters"] == 20
    said = capsys.readouterr().out
    assert "Which is sharper?" in said and "20 raters" in said and re.search(r"poor +−\d", said)


def test_answers_of_chance_become_overlapping_intervals(study):
    key = load_key(study.key)
    (first, _) = fit_study(key, load_votes(key, answer_all(study, 8, by_chance)), 200)
    assert all(len(row["alike"]) == 2 for row in first["methods"])


def test_answers_to_something_else_are_refused(study, tmp_path):
    (folder,) = answer_all(study, 1, by_name)
    key, good = load_key(study.key), json.loads((folder / "answers-0.json").read_text())

    def refuses(match: str, **changes) -> None:
        (tmp_path / "x.json").write_text(json.dumps({**good, **changes}))
        with pytest.raises(InputError, match=match):
            load_votes(key, [tmp_path / "x.json"])

    refuses("of the study 123", study="123")
    refuses("what the study does not ask", answers=[{**good["answers"][0], "left": "0"}])
    refuses("no file of answers", answers=[{**good["answers"][0], "choice": "up"}])
    refuses("no answers", answers=[])
    refuses("answers a pair 3 times", answers=[*good["answers"], good["answers"][0], good["answers"][0]])
    turned = {**good["answers"][0], "left": good["answers"][0]["right"], "right": good["answers"][0]["left"]}
    refuses("answers a pair 2 times", answers=[*good["answers"], turned])
    again = {**good, "answers": [*good["answers"], {**turned, "repeated": True}]}
    (tmp_path / "x.json").write_text(json.dumps(again), encoding="utf-8-sig")
    assert len(load_votes(key, [tmp_path / "x.json"])) == len(good["answers"]) + 1
    (tmp_path / "twice.json").write_text(json.dumps(good))
    with pytest.raises(InputError, match="of one rater"):
        load_votes(key, [folder, tmp_path / "twice.json"])


def test_what_is_no_study_is_refused(folders, tmp_path, capsys):
    one = f"--predictions=one={folders['good']}"
    assert "two methods" in refused(capsys, "study", "build", one, f"--output={tmp_path / 's'}")
    assert "share no clip" in refused(capsys, "study", "build", one, f"--predictions=two={folders['fair']}", f"--output={tmp_path / 's'}")
    assert "twice" in refused(capsys, "study", "build", one, one, f"--output={tmp_path / 's'}")
    assert "NAME=FOLDER" in refused(
        capsys, "study", "build", str(folders["good"]).join(["--predictions=", ""]), f"--output={tmp_path / 's'}"
    )
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("")
    two = [f"--predictions=one={folders['fair']}", f"--predictions=two={folders['poor']}"]
    assert "not empty" in refused(capsys, "study", "build", *two, f"--output={tmp_path / 'full'}")
    assert not (tmp_path / "s").exists()


@pytest.mark.skipif(shutil.which("chromium") is None, reason="a browser is needed (apt-get install chromium)")
def test_a_browser_works_through_the_page(study, tmp_path):
    """Answer always "left" as soon as the page lets one; what it would save is read by the command."""
    work = """<script>
      at("begin").click();
      const early = answerButtons().every((button) => button.disabled);
      const sides = [];
      while (state.done < state.trials.length) {
        sides.push([videos[0].getAttribute("src"), videos[1].getAttribute("src")]);
        for (const video of videos) video.dispatchEvent(new Event("ended"));
        for (const button of answerButtons()) if (button.dataset.value === "left") button.click();
        at("next").click();
      }
      const pre = document.createElement("pre");
      const shown = !at("end").hidden, file = at("save").download;
      pre.textContent = JSON.stringify({ early, sides, answers: JSON.parse(answers()), shown, file });
      document.body.replaceChildren(pre);
    </script>"""
    folder = tmp_path / "copy"
    shutil.copytree(study.page.parent, folder)
    page = folder / "index.html"
    page.write_text(page.read_text("utf-8").replace("</body>", work + "</body>"), "utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=3000"]
    dom = subprocess.run(["chromium", *flags, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120).stdout
    found = json.loads(unescape(re.search(r"<pre>(.*?)</pre>", dom, re.S)[1]))
    assert found["early"] and found["shown"] and len(found["sides"]) == 8 and found["file"].startswith("answers-")
    (tmp_path / "answers.json").write_text(json.dumps(found["answers"]))
    key = load_key(study.key)
    votes = load_votes(key, [tmp_path / "answers.json"])
    assert len(votes) == 16 and sum(vote.repeated for vote in votes) == 4 and {vote.share for vote in votes} == {1.0}
    fresh = [frozenset((vote.first, vote.second)) for vote in votes if not vote.repeated and vote.question == 0]
    assert sorted(map(fresh.count, set(fresh))) == [2, 2, 2]  # each pair of methods as often
    assert fit_study(key, votes, 100)[0]["agreement"] == 0.0  # "left" both times is the other one the second time
