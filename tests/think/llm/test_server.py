"""A planner behind HTTP: every way in which a server fails is one sentence, in time, and without the key."""

import base64
import io
import json
import time

import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile

from tbd.errors import InputError, TBDError
from tbd.think.llm import server as module
from tbd.think.llm.schema import Draft
from tbd.think.llm.server import ServerPlanner
from tests.think.llm.chat_server import PLAN, REASONING, completion, serve, think


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    monkeypatch.setattr(module, "BACKOFF", 0.01)
    for name in module.KEYS:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server():
    with serve() as running:
        yield running


def planner(server, **options) -> ServerPlanner:
    return ServerPlanner(server.url, "some-model", **{"timeout": 10.0, **options})


def failure(server, kind=TBDError, **options) -> str:
    with pytest.raises(kind) as caught:
        planner(server, **options).plan("quietly furious")
    sentence = str(caught.value)
    assert sentence.endswith(".") and "\n" not in sentence and len(sentence) < 400
    return sentence


def in_turn(*answers):
    """One after another, then as a server should."""
    left = list(answers)
    return lambda exchange: (left.pop(0) if left else think)(exchange)


def test_it_reasons_then_plans(server):
    plan = planner(server).plan("quietly furious", duration=4)
    assert [step.title for step in plan.reasoning][:2] == ["What is felt", "Which muscles"]
    assert [(a.unit, a.intensity) for a in plan.actions] == [(4, 0.6)] and plan.emotions == {"angry": 1.0} and plan.notes == ()
    first, second = (request.body for request in server.requests)
    assert [m["role"] for m in second["messages"]] == ["system", "user", "assistant", "user"]
    assert "<sentence>\nquietly furious\n</sentence>" in first["messages"][1]["content"] and "4 seconds" in first["messages"][1]["content"]
    assert "response_format" not in first and second["response_format"]["json_schema"]["schema"] == Draft.json_schema()
    assert first["temperature"] == 0 and first["model"] == "some-model" and first["max_tokens"] > 0


def test_a_url_may_end_in_any_way(server):
    for url in (server.url + "/", server.url + "/chat/completions"):
        assert ServerPlanner(url, "m").plan("angry").actions
    assert {request.path for request in server.requests} == {"/v1/chat/completions"}


def test_a_server_without_response_format_is_asked_in_words(server):
    def old(exchange):
        if "response_format" in exchange.body:
            return exchange.reply(b'{"error": {"message": "unknown field response_format"}}', 400)
        think(exchange)

    server.answer = old
    assert planner(server).plan("quietly furious").actions
    assert "_Action" in server.requests[-1].body["messages"][-1]["content"]


def test_json_between_words_is_found(server):
    server.answer = lambda e: e.reply(completion(f"Gladly!\n```json\n{PLAN}\n```\nAnything else?" if e.wants_plan else REASONING))
    assert planner(server).plan("quietly furious").description == "an angry face"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("no json here", "holds no JSON"),
        (PLAN[: len(PLAN) // 2], "holds no JSON"),
        (PLAN.replace('"intensity": 0.7', '"intensity": 7'), "intensity is 7; it should be at most 1"),
        (PLAN.replace('"unit": 4', '"unit": 3'), r"actions\[0\].unit is 3"),
        ("[]", "holds no JSON"),
    ],
)
def test_nonsense_is_asked_for_again_then_refused(server, answer, expected):
    server.answer = lambda e: e.reply(completion(answer if e.wants_plan else REASONING))
    with pytest.raises(TBDError, match=f"no plan in 3 tries: .*{expected}"):
        planner(server).plan("quietly furious")
    assert [r.body["seed"] for r in server.requests] == [0, 0, 1, 1, 2, 2]
    assert [r.body["temperature"] for r in server.requests[::2]] == [0, 0.7, 0.7]


def test_nonsense_once_is_forgiven(server):
    server.answer = in_turn(think, lambda e: e.reply(completion("{}")))
    assert planner(server).plan("quietly furious").actions


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"<html>hello</html>", "not JSON"),
        (b'{"choices": [{"mess', "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b'{"choices": []}', "without a choice"),
        (b"[]", "without a choice"),
        (b'{"choices": [{"message": "hi"}]}', "without a choice"),
        (completion(None), "empty message"),
        (completion("  "), "empty message"),
        (completion("<think>hm"), "gave no reasoning"),
    ],
)
def test_answers_that_are_none(server, body, expected):
    server.answer = lambda e: e.reply(body)
    assert expected in failure(server)


def test_an_answer_cut_at_the_token_limit(server):
    server.answer = lambda e: e.reply(completion(PLAN[:50], finish_reason="length") if e.wants_plan else completion(REASONING))
    assert "breaks off at the limit" in failure(server)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_failure_is_tried_again(server, status):
    server.answer = in_turn(lambda e: e.reply(b"busy", status))
    assert planner(server).plan("quietly furious").actions and len(server.requests) == 3


def test_a_lasting_failure_is_said(server):
    server.answer = lambda e: e.reply(b'{"error": {"message": "out of\\nmemory"}}', 500)
    assert "failed (HTTP 500: out of memory), also when asked again." in failure(server)
    assert len(server.requests) == 3


def test_half_an_answer(server):
    server.answer = lambda e: e.reply(completion(REASONING)[:40], length=4000)
    assert "broke off before its answer was complete" in failure(server, retries=1)
    assert len(server.requests) == 2


def test_a_connection_that_closes_at_once(server):
    server.answer = lambda e: e.connection.close()
    assert "broke off" in failure(server, retries=0)


def test_an_endless_answer(server, monkeypatch):
    monkeypatch.setattr(module, "_LARGEST", 1000)
    server.answer = lambda e: e.reply(b" " * 100_000)
    assert "answers with more than" in failure(server, retries=0)


@pytest.mark.parametrize("answer", [lambda e: time.sleep(2), lambda e: e.drip(2)], ids=["hangs", "drips"])
def test_a_server_that_hangs(server, answer):
    server.answer = answer
    start = time.monotonic()
    assert "not done within 0.3 s" in failure(server, timeout=0.3)
    assert time.monotonic() - start < 1


def test_time_runs_out_between_tries(server, monkeypatch):
    monkeypatch.setattr(module, "BACKOFF", 5.0)
    server.answer = lambda e: e.reply(b"", 503)
    assert "not done within 0.2 s" in failure(server, timeout=0.2)


def test_a_server_that_is_down():
    with serve() as server:
        pass
    assert "cannot be reached (Connection refused); start it" in failure(server, InputError)


def test_a_host_that_is_none():
    with pytest.raises(InputError, match="cannot be reached"):
        ServerPlanner("http://no-such-host.invalid/v1", "m").plan("angry")


@pytest.mark.parametrize(
    "url", ["", "localhost:8000", "file:///etc/passwd", "http://", "http://[::1", "http://host:99999/v1", "http://a b/v1"]
)
def test_what_is_no_url(url):
    with pytest.raises(InputError, match=r"no server's URL"):
        ServerPlanner(url, "m")


def test_a_url_with_a_password_is_not_repeated():
    with pytest.raises(InputError) as caught:
        ServerPlanner("http://me:hunter2@host/v1", "m")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("options", [{"timeout": 0}, {"timeout": float("nan")}, {"timeout": float("inf")}, {"retries": -1}])
def test_bad_options(options):
    with pytest.raises(InputError):
        ServerPlanner("http://localhost/v1", "m", **options)


def test_a_lasting_failure_with_a_picture_may_be_the_pictures(server):
    server.answer = lambda e: e.reply(b'{"error": {"message": "image input is not supported"}}', 500)
    sentence = failure(server, see=True, retries=0)
    assert "HTTP 500: image input is not supported), perhaps because the model cannot see (--see)." in sentence


KEY = "sk-secret-0123456789"


@pytest.mark.parametrize("variable", module.KEYS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_the_key_is_named_never_shown(server, monkeypatch, capfd, variable, status):
    monkeypatch.setenv(variable, KEY)
    server.answer = lambda e: e.reply(json.dumps({"error": {"message": f"bad key {KEY}"}}).encode(), status)
    sentence = failure(server, retries=0)
    assert KEY not in sentence and KEY not in "".join(capfd.readouterr())
    assert server.requests[0].headers["Authorization"] == f"Bearer {KEY}"
    assert (variable in sentence) == (status in (401, 403))


def test_the_key_is_in_no_plan(server, monkeypatch):
    monkeypatch.setenv("TBD_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", "another")
    chosen = planner(server)
    assert KEY not in chosen.plan("angry").to_json() and KEY not in repr(vars(chosen))
    assert server.requests[0].headers["Authorization"].endswith(KEY)


def test_a_key_that_no_header_can_hold(server, monkeypatch):
    monkeypatch.setenv("TBD_API_KEY", f"{KEY}\n{KEY}")
    sentence = failure(server, InputError)
    assert "TBD_API_KEY" in sentence and KEY not in sentence


def test_without_a_key_none_is_sent(server):
    server.answer = lambda e: e.reply(b"", 401)
    assert "set TBD_API_KEY" in failure(server, InputError)
    assert server.requests[0].headers["Authorization"] is None


def test_the_key_does_not_follow_a_redirection(server, monkeypatch):
    monkeypatch.setenv("TBD_API_KEY", KEY)
    with serve() as other:
        server.answer = lambda e: e.reply(b"", 307, Location=other.url)
        assert "redirects elsewhere" in failure(server, InputError)
        assert other.requests == []


def test_a_model_that_sees_and_hears_is_shown_the_portrait_and_given_the_voice(server):
    chosen = planner(server, see=True, hear=True)
    assert chosen.observes == {"portrait", "voice"}
    voice = np.sin(np.arange(16000) / 20).astype(np.float32) / 2
    portrait = np.full((1000, 500, 3), (200, 30, 30), np.uint8)
    assert chosen.plan("", duration=1, voice=voice, portrait=portrait).actions  # no sentence is needed
    for request in server.requests:  # the reasoning and the plan are asked for with both
        parts = {part["type"]: part for part in request.body["messages"][1]["content"]}
        assert "no sentence was given" in request.body["messages"][1]["content"][0]["text"]
        header, data = parts["image_url"]["image_url"]["url"].split(",")
        picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
        assert header == "data:image/jpeg;base64" and picture.shape == (768, 384, 3) and picture[..., 0].mean() > 180
        rate, samples = wavfile.read(io.BytesIO(base64.b64decode(parts["input_audio"]["input_audio"]["data"])))
        assert rate == 16000 and np.allclose(samples / 32767, voice, atol=1e-3)


def test_a_model_that_cannot_see_is_said_to(server):
    server.answer = lambda e: e.reply(b'{"error": {"message": "image input is not supported"}}', 400)
    with pytest.raises(TBDError, match=r"not supported\); perhaps the model cannot see \(--see\)\."):
        planner(server, see=True).plan("angry", portrait=np.zeros((8, 8, 3), np.uint8))


def test_an_empty_sentence_asks_no_model_that_observes_nothing(server):
    assert planner(server).plan("").notes and server.requests == []


def test_a_plan_without_muscles_is_completed_and_one_that_contradicts_itself_is_mended(server):
    empty = json.loads(PLAN) | {"actions": []}
    server.answer = lambda e: e.reply(completion(json.dumps(empty) if e.wants_plan else REASONING))
    plan = planner(server).plan("quietly furious")
    assert {a.unit for a in plan.actions} >= {4, 5, 7} and "prototype" in plan.notes[0]
    pulls = [{"unit": u, "side": "both", "intensity": i, "onset": None, "offset": None} for u, i in ((12, 0.8), (15, 0.3))]
    server.answer = lambda e: e.reply(completion(json.dumps(empty | {"actions": pulls}) if e.wants_plan else REASONING))
    plan = planner(server).plan("quietly furious")
    assert [a.unit for a in plan.actions] == [12] and any("AU15" in note for note in plan.notes)
