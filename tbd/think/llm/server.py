"""`ServerPlanner`: thinks with a language model behind an OpenAI-compatible HTTP server (vLLM, llama.cpp, Ollama …)."""

import json
import os
import queue
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tbd.errors import InputError, TBDError
from tbd.think.llm.planner import REASONING_TOKENS, ChatPlanner, Deadline
from tbd.think.llm.prompt import Message
from tbd.think.llm.schema import AnswerError

KEYS = ("TBD_API_KEY", "OPENAI_API_KEY")
"""Environment variables that may hold the server's key; the first that is set counts."""

BACKOFF = 0.5
"""Seconds before a failed request is sent again; each time twice as long."""

PLAN_TOKENS = 2048
"""Tokens that a plan may have; most have about 600."""

_LARGEST = 4 * 2**20
"""Bytes of an answer; more is no answer of a chat server."""
_PASSING = (408, 425, 429, 500, 502, 503, 504)
"""HTTP statuses that may be gone a moment later."""


CONNECT_TIMEOUT = 10.0
"""Seconds that a server has to take a connection."""


class _RequestError(TBDError):
    """The server refuses this request."""


class _PassingError(TBDError):
    """A failure that may be gone a moment later, as words that follow "The server at …"."""


class ServerPlanner(ChatPlanner):
    """Thinks with a language model on a server.

    The JSON is asked for by schema; where the server does not know `response_format`, in words. A key is read from
    `TBD_API_KEY` or `OPENAI_API_KEY` when a plan is made, sent to this server alone, and shown nowhere. The server is spoken
    to directly: proxies and redirections are not followed.

    Args:
        url: up to and with its version: ``http://localhost:8000/v1``.
        model: its name on the server.
        prompt: a prompt file instead of tbd's own; see `tbd.think.llm.prompt.Prompt`.
        timeout: seconds that one plan may take in all.
        retries: further tries after a failure that may pass, and after an answer that cannot be used.

    Raises:
        InputError: the URL is none, or the prompt cannot be used; and from `plan`, the server is down, refuses the key or
            does not have the model.
    """

    def __init__(self, url: str, model: str, prompt: Path | None = None, timeout: float = 300.0, retries: int = 2) -> None:
        super().__init__(prompt, timeout, retries)
        self.url = _checked(url)
        self.model = model

    def _reason(self, messages: Sequence[Message], seed: int, deadline: Deadline) -> str:
        return self._chat(messages, seed, deadline, REASONING_TOKENS)[0]

    def _write_json(self, messages: Sequence[Message], schema: dict[str, Any], seed: int, deadline: Deadline) -> str:
        wanted = {"type": "json_schema", "json_schema": {"name": "muscle_plan", "strict": True, "schema": schema}}
        try:
            text, reason = self._chat(messages, seed, deadline, PLAN_TOKENS, response_format=wanted)
        except _RequestError:  # the field may be what it refuses; a server that refuses more will say so again
            shape = f"\n\nThe JSON follows this schema:\n{json.dumps(schema)}"
            told = [*messages[:-1], {**messages[-1], "content": messages[-1]["content"] + shape}]
            text, reason = self._chat(told, seed, deadline, PLAN_TOKENS)
        if reason == "length":
            raise AnswerError(f"its answer breaks off at the limit of {PLAN_TOKENS} tokens")
        return text

    def _chat(self, messages: Sequence[Message], seed: int, deadline: Deadline, tokens: int, **fields: Any) -> tuple[str, str | None]:
        """What the model wrote, and why it stopped."""
        drawn = {"temperature": 0.0 if seed == 0 else 0.7, "seed": seed}
        body = {"model": self.model, "messages": list(messages), "max_tokens": tokens, "stream": False, **drawn, **fields}
        answer = self._post(json.dumps(body).encode(), deadline)
        try:
            choice = json.loads(answer)["choices"][0]
            text, reason = choice["message"]["content"], choice.get("finish_reason")
        except ValueError:
            raise AnswerError(f"the server at {self.url} answered with something that is not JSON") from None
        except (KeyError, TypeError, IndexError, AttributeError):
            raise AnswerError(f"the server at {self.url} answered without a choice that holds a message") from None
        if not isinstance(text, str) or not text.strip():
            raise AnswerError(f"the server at {self.url} answered with an empty message")
        return text, reason

    def _post(self, body: bytes, deadline: Deadline) -> bytes:
        """Send a request, and again after failures that may pass."""
        for attempt in range(self.retries + 1):
            if attempt:
                time.sleep(min(BACKOFF * 2 ** (attempt - 1), deadline.left))
            try:
                return self._send_within(body, deadline)
            except _PassingError as error:
                problem = str(error)
        again = ", also when asked again" if self.retries else ""
        raise TBDError(f"The server at {self.url} {problem}{again}.")

    def _send_within(self, body: bytes, deadline: Deadline) -> bytes:
        """`_send` in a thread of its own: a server that drips a byte a second never trips a socket's timeout."""
        if not deadline.left:
            raise deadline.passed()
        key = _key()
        results: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()

        def work() -> None:
            try:
                results.put(_send(self.url, body, key, deadline))
            except Exception as error:
                results.put(error)

        threading.Thread(target=work, daemon=True).start()
        try:
            result = results.get(timeout=deadline.left)
        except queue.Empty:
            raise deadline.passed() from None
        if isinstance(result, Exception):
            raise result
        return result


def _checked(url: str) -> str:
    """The URL of the server without what every request adds."""
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and url.isascii() and " " not in url
    except ValueError:
        valid = False
    if not valid:
        raise InputError(f"{url!r} is no server's URL; give one such as http://localhost:8000/v1.")
    if parts.username or parts.password or parts.query:
        raise InputError(f"The server's URL must hold no name, password or query; give a key in {KEYS[0]}.")
    return url.rstrip("/").removesuffix("/chat/completions")


def _key() -> tuple[str, str] | None:
    """(variable, its value), where one is set."""
    name = next((name for name in KEYS if os.environ.get(name, "").strip()), None)
    if name is None:
        return None
    value = os.environ[name].strip()
    if not (value.isascii() and value.isprintable()):
        raise InputError(f"The key in {name} has characters that no key has; set it anew.")
    return name, value


def _send(url: str, body: bytes, key: tuple[str, str] | None, deadline: Deadline) -> bytes:
    """One request.

    Raises:
        InputError: the server is down, or refuses the key, the address or the model.
        _PassingError: a failure that may pass.
        _RequestError: it refuses what is in the request.
    """
    import http.client  # with ssl it takes longer to import than most of tbd.think

    parts = urlsplit(url)
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = connect(parts.hostname, parts.port, timeout=min(CONNECT_TIMEOUT, max(deadline.left, 0.01)))
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key[1]}"} if key else {})
    with closing(connection):
        try:
            connection.connect()
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or error
            raise InputError(f"The server at {url} cannot be reached ({why}); start it, or correct its URL.") from None
        connection.sock.settimeout(max(deadline.left, 0.01))
        try:
            connection.request("POST", f"{parts.path}/chat/completions", body, headers)
            response = connection.getresponse()
            answer = _read(response, deadline)
        except TimeoutError:
            raise deadline.passed() from None
        except (http.client.HTTPException, OSError):
            raise _PassingError("broke off before its answer was complete") from None
    if response.status == 200:
        return answer
    raise _refusal(url, response.status, answer, key)


def _read(response: Any, deadline: Deadline) -> bytes:
    """The body of an `http.client.HTTPResponse`, piece by piece."""
    answer = bytearray()
    while piece := response.read1(65536):
        answer += piece
        if len(answer) > _LARGEST:
            raise _PassingError(f"answers with more than {_LARGEST >> 20} MiB")
        if not deadline.left:
            raise deadline.passed()
    if response.length:  # `read1` does not mind that the rest is missing
        raise _PassingError("broke off before its answer was complete")
    return bytes(answer)


def _refusal(url: str, status: int, answer: bytes, key: tuple[str, str] | None) -> TBDError:
    """What an HTTP status means for the user."""
    if status in (401, 403):  # the server's words may repeat the key, so they stay out
        asked = f"the key in {key[0]}" if key else f"a request without a key; set {KEYS[0]}"
        return InputError(f"The server at {url} refuses {asked} (HTTP {status}).")
    if 300 <= status < 400:
        return InputError(f"The server at {url} redirects elsewhere (HTTP {status}); give its final URL.")
    said = _said(answer, key)
    if status == 404:
        return InputError(f"The server at {url} knows no such address or model (HTTP 404{said}); correct its URL or the model's name.")
    if status in _PASSING:
        return _PassingError(f"failed (HTTP {status}{said})")
    return _RequestError(f"The server at {url} refuses the request (HTTP {status}{said}).")


def _said(answer: bytes, key: tuple[str, str] | None) -> str:
    """A server's own words, shortened, without the key; nothing where it gives none."""
    text = answer.decode("utf-8", "replace")
    try:
        told = json.loads(text)
        told = told.get("error", told) if isinstance(told, dict) else told
        text = str(told.get("message", "") if isinstance(told, dict) else told)
    except ValueError:
        text = "" if "<" in text else text  # an HTML page
    words = " ".join(text.split())
    words = words.replace(key[1], "…") if key else words
    return f": {words[:200]}" if words else ""
