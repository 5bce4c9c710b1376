"""The page's components, and which event calls what. Imports Gradio, so it is imported when the studio starts."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from tbd import DEFAULT_SEED
from tbd.face.tracking.choice import LARGEST
from tbd.studio.answers import EMPTY
from tbd.studio.fragments import NOTHING_DRAWN, NOTHING_KEPT, busy
from tbd.studio.handlers import Handlers
from tbd.studio.limits import MAX_CHARACTERS, MAX_SECONDS, MAX_UPLOAD_MIB, SIZES
from tbd.studio.speaking import voice_names

ASSETS = Path(__file__).resolve().parents[1] / "assets" / "studio"
EXAMPLES = (
    "she fights back tears, then smiles",
    "quietly furious",
    "delighted, with a wink at the end",
    "",
)
"""Sentences of the examples; the empty one lets the voice decide."""
_SCALES = (
    ("emotion_scale", "Emotion scale", "How strongly the whole feeling is drawn."),
    ("muscle_scale", "Muscle scale", "How exactly single muscles follow the timeline."),
    ("audio_scale", "Audio scale", "How clearly the mouth articulates."),
)


# what the lists show, and the value of the option
_FRAMES = (("Head and shoulders", "portrait"), ("Whole picture", "full"))
_ASPECTS = [("Automatic", ""), *((shape, shape) for shape in ("9:16", "4:5", "3:4", "1:1", "4:3", "16:9"))]
_FACES = (
    ("Largest", "largest"),
    ("Leftmost", "left"),
    ("Rightmost", "right"),
    *((f"Number {n} from the left", str(n)) for n in range(1, 7)),
)


THINKING = [busy("Thinking …"), gr.skip(), gr.skip(), gr.skip()]
"""What the page shows of a plan until it is there."""


class Samples(NamedTuple):
    """The portrait and the voice of the examples, as `tbd demo --samples` writes them.

    Args:
        portrait: The picture.
        voice: The recording.
    """

    portrait: Path
    voice: Path


def build_page(handlers: Handlers, samples: Samples) -> gr.Blocks:
    """Put the page together.

    Args:
        handlers: What its events call.
        samples: What its examples show.

    Returns:
        The page.
    """
    with gr.Blocks(title="Think-Before-Draw studio", analytics_enabled=False, delete_cache=(600, 7200)) as page:
        gr.HTML(
            "<h1>Think-Before-Draw studio</h1><p>A portrait, a voice and a sentence about a feeling become a talking face. "
            "All is computed on this machine. Do not put words into the mouths of people who did not agree to it.</p>",
            elem_classes="studio-title",
        )
        _Page(handlers, samples).build(page)
    return page


class _Page:
    """Builds the rooms of the page from top to bottom."""

    def __init__(self, handlers: Handlers, samples: Samples) -> None:
        self.handlers, self.samples = handlers, samples

    def build(self, page: gr.Blocks) -> None:
        self._inputs()
        self._thinking()
        self._drawing()
        self._speaking()
        self._guard()
        self._wire()
        page.load(self._live, None, self.live, api_visibility="private", show_progress="hidden")
        page.unload(self._close)

    # -- components --------------------------------------------------------------------------------------------------------

    def _inputs(self) -> None:
        gr.Markdown("## 1. Portrait, voice, feeling")
        with gr.Row():
            with gr.Column(min_width=280):
                self.portrait = gr.Image(
                    label="Portrait",
                    type="filepath",
                    image_mode=None,
                    sources=["upload", "webcam"],
                    height=300,
                    elem_id="portrait",
                    buttons=["fullscreen"],
                )
                # the studio reads more formats than Gradio does, and says which file it cannot read. Not a subclass: for each Gradio
                # writes a file beside the module
                setattr(self.portrait, "preprocess", _path)  # noqa: B010
                self.portrait_note = gr.HTML(elem_id="portrait-note")
                with gr.Accordion("Or a video to dub, and which face speaks", open=False, elem_id="more-portrait"):
                    self.clip = gr.File(label="Video of somebody who is dubbed", file_types=["video"], height=120, elem_id="clip")
                    self.face = gr.Dropdown(_FACES, value="largest", label="Which of several faces speaks", elem_id="face")
            with gr.Column(min_width=280):
                self.voice = gr.Audio(label="Voice", type="filepath", sources=["upload", "microphone"], elem_id="voice", buttons=[])
                self.voice_note = gr.HTML(elem_id="voice-note")
                self._synthesizer()
                self.sentence = gr.Textbox(
                    label="Feeling",
                    info="A sentence about a feeling, in any language. Empty: the feeling is heard in the voice.",
                    placeholder=EXAMPLES[0],
                    lines=2,
                    max_length=MAX_CHARACTERS,
                    elem_id="sentence",
                )
                self.think = gr.Button("Think", variant="primary", elem_id="think")
        gr.HTML(
            f"<p>Files up to {MAX_UPLOAD_MIB} MiB, voices up to {MAX_SECONDS:.0f} s. "
            "Or try an example (portrait: Eileen Collins, NASA):</p>"
        )
        with gr.Row():
            self.examples = [gr.Button(text or "(no sentence: heard in the voice)", size="sm", min_width=200) for text in EXAMPLES]

    def _synthesizer(self) -> None:
        names = voice_names()
        with gr.Accordion("Or type words to speak", open=False, visible=bool(names)):
            self.words = gr.Textbox(label="Words", lines=2, max_length=MAX_CHARACTERS, elem_id="words")
            self.speaker = gr.Dropdown(names, value=names[0] if names else None, label="Synthetic voice", elem_id="speaker")
            self.speak = gr.Button("Speak", size="sm", elem_id="speak")

    def _thinking(self) -> None:
        gr.Markdown("## 2. What was thought")
        self.plan_note = gr.HTML(elem_id="plan-note")
        with gr.Row():
            with gr.Column(scale=2, min_width=280):
                self.reasoning = gr.HTML("<p>Press Think, or an example.</p>", elem_id="reasoning")
            with gr.Column(scale=3, min_width=320):
                self.chart = gr.HTML(elem_id="chart")
        gr.Markdown("## 3. The muscles in time")
        script = (ASSETS / "timeline.js").read_text(encoding="utf-8")
        gr.HTML('<p class="studio-empty">The timeline of the muscles comes with a plan.</p>')
        self.timeline = gr.HTML(
            EMPTY, html_template="<tbd-timeline></tbd-timeline>", js_on_load=script, apply_default_css=False, elem_id="timeline"
        )

    def _drawing(self) -> None:
        gr.Markdown("## 4. Draw")
        own = self.handlers.drawer.scales
        with gr.Row():
            with gr.Column(scale=2, min_width=280):
                self.scales = [
                    gr.Slider(0, 5, own.get(name, 1.0), step=0.05, label=label, info=info, interactive=name in own)
                    for name, label, info in _SCALES
                ]
                self.head = gr.Slider(0, 3, 1.0, step=0.05, label="Head motion", info="0 holds the head still.")
                with gr.Row():
                    # no bounds here: Gradio would say so in words of its own
                    self.seed = gr.Number(DEFAULT_SEED, label="Seed", min_width=120, elem_id="seed")
                    self.size = gr.Dropdown([(f"{size} pixels", size) for size in SIZES], value=512, label="Longer side", min_width=140)
                with gr.Row():
                    self.frame = gr.Dropdown(_FRAMES, value="portrait", label="Shown", min_width=190, elem_id="frame")
                    self.aspect = gr.Dropdown(_ASPECTS, value="", label="Shape", min_width=190, elem_id="aspect")
                with gr.Row():
                    self.preview_button = gr.Button("Preview", elem_id="preview-button", min_width=90)
                    self.draw_button = gr.Button("Draw video", variant="primary", elem_id="draw-button", min_width=90)
                    self.stop = gr.Button("Stop", elem_id="stop", min_width=90)
            with gr.Column(scale=3, min_width=280):
                self.draw_note = gr.HTML(elem_id="draw-note")
                with gr.Row():
                    with gr.Column(min_width=240):
                        self.preview = gr.HTML(NOTHING_DRAWN, elem_id="preview")
                    with gr.Column(min_width=240):
                        self.video = gr.HTML(elem_id="video")
                self.downloads = gr.HTML(elem_id="downloads")
        gr.Markdown("## 5. Compare")
        self.keep = gr.Button("Keep the newest video", size="sm", elem_id="keep")
        self.comparison = gr.HTML(NOTHING_KEPT, elem_id="compare")

    def _speaking(self) -> None:
        gr.Markdown("## 6. Speak live")
        script = (ASSETS.parent / "live" / "live.js").read_text(encoding="utf-8") + (ASSETS / "live.js").read_text(encoding="utf-8")
        markup = (ASSETS / "live.html").read_text(encoding="utf-8")
        self.live = gr.HTML({}, html_template=markup, js_on_load=script, apply_default_css=False, elem_id="live")

    def _guard(self) -> None:
        largest = {"largest": MAX_UPLOAD_MIB * 2**20}
        script = (ASSETS / "guard.js").read_text(encoding="utf-8")
        self.guard = gr.HTML(largest, html_template="<i></i>", js_on_load=script, apply_default_css=False, elem_id="guard")

    # -- events ------------------------------------------------------------------------------------------------------------

    def _wire(self) -> None:
        thought = [self.plan_note, self.reasoning, self.chart, self.timeline]
        drawn = [self.draw_note, self.preview, self.video, self.downloads, self.comparison]
        settings = [*self.scales, self.head, self.seed, self.size, self.frame, self.aspect]
        common: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        heavy: dict[str, Any] = {**common, "concurrency_limit": 1, "concurrency_id": "compute"}
        self.portrait.change(self._portrait, [self.portrait, self.face], [self.portrait_note, self.clip], **heavy)
        self.clip.change(self._clip, [self.clip, self.face], [self.portrait_note, self.portrait, self.frame], **heavy)
        self.face.input(self._face, [self.portrait, self.clip, self.face], self.portrait_note, **heavy)
        gr.on(
            [self.frame.change, self.aspect.change], self._framing, [self.frame, self.aspect], self.draw_note, **common, concurrency_limit=4
        )
        self.voice.change(self._voice, self.voice, self.voice_note, **heavy)
        self.speak.click(self._speak, [self.words, self.speaker], [self.voice, self.voice_note], **heavy)
        self.guard.input(self._refuse, None, [self.portrait_note, self.voice_note], **common, concurrency_limit=4)
        # said at once, whatever is in the queue before it
        turn: dict[str, Any] = {**common, "queue": False}
        gr.on([self.think.click, self.sentence.submit], self._turn, None, self.plan_note, **turn).then(
            self._think, self.sentence, thought, **heavy
        )
        self.timeline.input(self._edit, None, thought, **common, concurrency_limit=4)
        given = [self.face, self.portrait, self.portrait_note, self.voice, self.voice_note, self.sentence]
        for button, text in zip(self.examples, EXAMPLES):
            button.click(self._turn, None, self.plan_note, **turn).then(self._example(text), None, [*given, *thought], **heavy)
        for button, full in ((self.preview_button, False), (self.draw_button, True)):
            button.click(self._turn, None, self.draw_note, **turn).then(self._drawer(full), settings, drawn, **heavy)
        self.stop.click(self._stop, None, None, **common, queue=False)
        self.keep.click(self._keep, None, self.comparison, **common, concurrency_limit=4)

    def _turn(self) -> str:
        return busy("Something else is being worked on; this comes next …") if self.handlers.waits else ""

    def _refuse(self, event: gr.EventData) -> Sequence[Any]:
        return _shown(self.handlers.refuse(event._data))

    def _portrait(self, path: str | None, face: str, request: gr.Request) -> Iterator[Sequence[Any]]:
        if path is not None:
            yield busy("Looking for the face …"), gr.skip()
        note = self.handlers.portrait(_tab(request), path, face=face)
        yield note, gr.skip() if path is None else None

    def _clip(self, path: str | None, face: str, request: gr.Request) -> Sequence[Any]:
        note = self.handlers.portrait(_tab(request), path, face=face, filmed=True)
        return (gr.skip(), gr.skip(), gr.skip()) if path is None else (note, None, "full")

    def _face(self, picture: str | None, clip: str | None, face: str, request: gr.Request) -> Any:
        if picture is None and clip is None:
            return gr.skip()
        return self.handlers.portrait(_tab(request), picture or clip, face=face, filmed=picture is None)

    def _framing(self, frame: str, aspect: str, request: gr.Request) -> str:
        return self.handlers.framing(_tab(request), frame, aspect)

    def _live(self, request: gr.Request) -> dict[str, str]:
        return self.handlers.socket(_tab(request))

    def _voice(self, path: str | None, request: gr.Request) -> Iterator[str]:
        if path is not None:
            yield busy("Reading the voice …")
        yield self.handlers.voice(_tab(request), path)

    def _speak(self, words: str, speaker: str, request: gr.Request) -> tuple[Any, str]:
        path, note = self.handlers.speak(_tab(request), words, speaker)
        return (gr.skip() if path is None else path), note

    def _think(self, text: str, request: gr.Request) -> Iterator[Sequence[Any]]:
        yield THINKING
        yield self.handlers.think(_tab(request), text)

    def _edit(self, event: gr.EventData, request: gr.Request) -> Sequence[Any]:
        return self.handlers.edit(_tab(request), event._data)

    def _example(self, text: str) -> Any:
        def choose(request: gr.Request) -> Iterator[Sequence[Any]]:
            tab, (portrait, voice) = _tab(request), map(str, self.samples)
            yield [LARGEST, portrait, busy("Looking for the face …"), voice, "", text, *THINKING]
            notes = self.handlers.portrait(tab, portrait, sample=True), self.handlers.voice(tab, voice, sample=True)
            yield [LARGEST, portrait, notes[0], voice, notes[1], text, *self.handlers.think(tab, text)]

        return choose

    def _drawer(self, full: bool) -> Any:
        def draw(
            emotion: float,
            muscles: float,
            audio: float,
            head: float,
            seed: float,
            size: float,
            frame: str,
            aspect: str,
            request: gr.Request,
        ) -> Iterator[Sequence[Any]]:
            for shown in self.handlers.draw(_tab(request), full, emotion, muscles, audio, head, seed, size, frame, aspect):
                yield _shown(shown)

        return draw

    def _stop(self, request: gr.Request) -> None:
        self.handlers.stop(_tab(request))

    def _keep(self, request: gr.Request) -> str:
        return self.handlers.keep(_tab(request))

    def _close(self, request: gr.Request) -> None:
        self.handlers.close(request.session_hash)


def _shown(drawn: Sequence[Any]) -> list[Any]:
    return [gr.skip() if part is None else part for part in drawn]


def _path(payload: Any) -> str | None:
    """What an event gets of an upload, of which Gradio knows more."""
    return None if payload is None else payload.path


def _tab(request: gr.Request) -> str:
    return str(request.session_hash)
