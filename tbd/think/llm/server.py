"""`ServerPlanner`: thinks with a language model behind an OpenAI-compatible HTTP server (vLLM, llama.cpp, Ollama …)."""

import json
import os
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tbd.errors import InputError, TBDError
from tbd.think.llm.planner import REASONING_TOKENS, ChatPlanner, Deadline
from tbd.think.llm.prompt import Message
from tbd.think.llm.schema import AnswerError

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI

KEYS = ("TBD_API_KEY", "OPENAI_API_KEY")
"""Environment variables that may hold the server's key; the first that is set counts."""
BACKOFF = 0.5
"""Seconds before a failed request is sent again; each time twice as long."""
PLAN_TOKENS = 2048
"""Tokens that a plan may have; most have about 600."""
CONNECT_TIMEOUT = 10.0
"""Seconds that a server has to take a connection."""

_LARGEST = 4 * 2**20
"""Bytes of an answer; more is no answer of a chat server."""
_PASSING = (408, 425, 429, 500, 502, 503, 504)
"""HTTP statuses that may be gone a moment later."""


class _RequestError(TBDError):
    """The server refuses this request."""


class _PassingError(TBDError):
    """A failure that may be gone a moment later, as words that follow "The server at …"."""


class ServerPlanner(ChatPlanner):
    """Thinks with a language model on a server, through the `openai` client.

    The JSON is asked for by schema; where the server does not know `response_format`, in words. A key is read from
    `TBD_API_KEY` or `OPENAI_API_KEY` when a plan is made, sent to this server alone, and shown nowhere. The server is spoken
    to directly: proxies and redirections are not followed.

    Args:
        url: Address of the server up to and with its version: ``http://localhost:8000/v1``.
        model: The model's name on the server.
        prompt: A prompt file instead of tbd's own; see `tbd.think.llm.prompt.Prompt`.
        timeout: Seconds that one plan may take in all.
        retries: Number of further tries after a failure that may pass, and after an answer that cannot be used.
        see: Whether a multimodal model is shown the portrait.
        hear: Whether it is given the voice.

    Raises:
        InputError: If the URL is none, or the prompt cannot be used; and from `plan`, if the server is down, refuses the key or
            does not have the model.

    Example:
        >>> planner = ServerPlanner("http://localhost:8000/v1", "my-model")
        >>> planner.model
        'my-model'
        >>> plan = planner.plan("quietly furious")  # doctest: +SKIP
    """

    def __init__(
        self,
        url: str,
        model: str,
        prompt: Path | None = None,
        timeout: float = 300.0,
        retries: int = 2,
        see: bool = False,
        hear: bool = False,
    ) -> None:
        super().__init__(prompt, timeout, retries, see, hear)
        import openai  # noqa: F401  # takes a second, which is none of a plan's time limit

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
            in_words = [*messages[:-1], {**messages[-1], "content": f"{messages[-1]['content']}{shape}"}]
            text, reason = self._chat(in_words, seed, deadline, PLAN_TOKENS)
        if reason == "length":
            raise AnswerError(f"its answer breaks off at the limit of {PLAN_TOKENS} tokens")
        return text

    def _chat(self, messages: Sequence[Message], seed: int, deadline: Deadline, tokens: int, **fields: Any) -> tuple[str, str | None]:
        """What the model wrote, and why it stopped."""
        body = {"messages": list(messages), "max_tokens": tokens, "temperature": 0.0 if seed == 0 else 0.7, "seed": seed, **fields}
        answer = self._ask(body, deadline)
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

    def _ask(self, body: dict[str, Any], deadline: Deadline) -> bytes:
        """Send a request, and again after failures that may pass."""
        for attempt in range(self.retries + 1):
            if attempt:
                time.sleep(min(BACKOFF * 2 ** (attempt - 1), deadline.left))
            if not deadline.left:
                raise deadline.passed()
            try:
                return self._send(body, deadline)
            except _PassingError as error:
                problem = str(error)
        again = ", also when asked again" if self.retries else ""
        raise TBDError(f"The server at {self.url} {problem}{again}.")

    def _send(self, body: dict[str, Any], deadline: Deadline) -> bytes:
        """One request, whose answer is read piece by piece: a server that drips a byte a second never trips a socket's timeout.

        Raises:
            InputError: If the server is down, or refuses the key, the address or the model.
            TBDError: If the time is over; a `_PassingError` or `_RequestError` otherwise.
        """
        import openai

        httpx = _transport()
        key = _key()
        try:
            with closing(_client(self.url, key, deadline)) as client:
                calls = client.chat.completions.with_streaming_response
                with calls.create(model=self.model, extra_headers=_headers(key), **body) as response:
                    return _read(response.iter_bytes(), deadline)
        except openai.APITimeoutError as error:
            if isinstance(error.__cause__, httpx.ConnectTimeout) and deadline.left:
                raise InputError(f"The server at {self.url} cannot be reached (timed out); start it, or correct its URL.") from None
            raise deadline.passed() from None
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, httpx.ConnectError):
                why = _reason_of(error.__cause__)
                raise InputError(f"The server at {self.url} cannot be reached ({why}); start it, or correct its URL.") from None
            raise _PassingError("broke off before its answer was complete") from None
        except openai.APIStatusError as error:
            raise self._refusal(error, key) from None
        except httpx.TimeoutException:
            raise deadline.passed() from None
        except httpx.HTTPError:
            raise _PassingError("broke off before its answer was complete") from None

    def _refusal(self, error: "APIStatusError", key: tuple[str, str] | None) -> TBDError:
        """What an HTTP status means for the user."""
        status = error.status_code
        if status in (401, 403):  # the server's words may repeat the key, so they stay out
            asked = f"the key in {key[0]}" if key else f"a request without a key; set {KEYS[0]}"
            return InputError(f"The server at {self.url} refuses {asked} (HTTP {status}).")
        if 300 <= status < 400:
            return InputError(f"The server at {self.url} redirects elsewhere (HTTP {status}); give its final URL.")
        words = _words(error, key)
        if status == 404:
            return InputError(
                f"The server at {self.url} knows no such address or model (HTTP 404{words}); correct its URL or the model's name."
            )
        senses = " or ".join(name for name, given in (("see (--see)", self.see), ("hear (--hear)", self.hear)) if given)
        if status in _PASSING:  # llama.cpp answers 500 to a picture that its model cannot see
            doubt = f", perhaps because the model cannot {senses}" if senses and status == 500 else ""
            return _PassingError(f"failed (HTTP {status}{words}){doubt}")
        doubt = f"; perhaps the model cannot {senses}" if senses else ""
        return _RequestError(f"The server at {self.url} refuses the request (HTTP {status}{words}){doubt}.")


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


def _client(url: str, key: tuple[str, str] | None, deadline: Deadline) -> "OpenAI":
    """A client that asks once, follows nothing, and knows nothing of the environment but the key."""
    import openai

    left = max(deadline.left, 0.01)
    times = openai.Timeout(left, connect=min(CONNECT_TIMEOUT, left))
    direct = openai.DefaultHttpxClient(timeout=times, trust_env=False, follow_redirects=False)
    return openai.OpenAI(api_key=key[1] if key else "none", base_url=url, timeout=times, max_retries=0, http_client=direct)


def _transport() -> Any:
    """The library that the client sends with: httpx, or httpx2 since openai 3."""
    import importlib

    import openai

    client = next(base for base in openai.DefaultHttpxClient.__mro__ if base.__name__ == "Client")
    return importlib.import_module(client.__module__.partition(".")[0])


def _headers(key: tuple[str, str] | None) -> dict[str, Any]:
    """The client sends a key or refuses to work; without one, none is sent."""
    import openai

    return {} if key else {"Authorization": openai.Omit()}


def _read(pieces: Any, deadline: Deadline) -> bytes:
    answer = bytearray()
    for piece in pieces:
        answer += piece
        if len(answer) > _LARGEST:
            raise _PassingError(f"answers with more than {_LARGEST >> 20} MiB")
        if not deadline.left:
            raise deadline.passed()
    return bytes(answer)


def _reason_of(error: BaseException) -> str:
    """The operating system's words for why there is no connection."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return str(error)


def _words(error: "APIStatusError", key: tuple[str, str] | None) -> str:
    """A server's own words, shortened, without the key; nothing where it gives none."""
    text = error.response.text
    try:
        message = json.loads(text)
        message = message.get("error", message) if isinstance(message, dict) else message
        text = str(message.get("message", "") if isinstance(message, dict) else message)
    except ValueError:
        text = "" if "<" in text else text  # an HTML page
    words = " ".join(text.split())
    words = words.replace(key[1], "…") if key else words
    return f": {words[:200]}" if words else ""
