"""Events of the page → changes of a session, and what the page then shows. Every failure is a sentence on the page."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tbd import DEFAULT_SEED
from tbd.errors import InputError, TBDError
from tbd.face.tracking.choice import LARGEST, check_choice
from tbd.studio import fragments
from tbd.studio.answers import EMPTY, Drawn, Thought, explained, sentence_of, settings_of
from tbd.studio.drawing import Drawer, Progress, Stopped
from tbd.studio.inputs import check_sentence, named, read_clip, read_portrait, read_voice
from tbd.studio.limits import PREVIEW_SIZE
from tbd.studio.live import LIVE_SOCKET
from tbd.studio.refusals import PORTRAIT, VOICE, refusal
from tbd.studio.session import Portrait, Session, SessionStore, Voice
from tbd.studio.speaking import speak
from tbd.studio.timeline import History, Timeline
from tbd.think.plan import MusclePlan
from tbd.think.plan_checks import repair
from tbd.utils.checksum import checksum_of_file
from tbd.utils.jobs.ahead import ahead


class Handlers:
    """What the page's events call.

    Args:
        drawer: Thinks and draws.
        store: The open tabs.
    """

    def __init__(self, drawer: Drawer, store: SessionStore) -> None:
        self.drawer, self.store = drawer, store
        self._computing, self._listening = threading.Lock(), threading.Lock()

    @property
    def waits(self) -> bool:
        """Whether something is being computed, so that what is wanted now waits for its turn."""
        return self._computing.locked()

    def portrait(self, tab: str, path: str | None, sample: bool = False, face: str = LARGEST, filmed: bool = False) -> str:
        """Take a portrait, or take it away.

        Args:
            tab: Gradio's hash of the tab.
            path: The uploaded file; None where it was removed.
            sample: Whether it is the studio's own, which stays when the tab is closed.
            face: Which of several faces speaks; see `tbd.pipeline.TalkingHeadPipeline.locate`.
            filmed: Whether the file is a video whose speaker is dubbed.

        Returns:
            The head that will speak with notes, or a failure.
        """
        session = self.store.get(tab)

        def take() -> str:
            if path is None:  # of picture and video one is taken away as the other is given
                if session.portrait is None or (session.portrait.clip is not None) == filmed:
                    session.portrait = None
            else:
                choice = check_choice(face)
                if self._is_new(session, "portrait", path, sample, f"{choice} {filmed}") or session.portrait is None:
                    session.portrait = None
                    read = read_clip if filmed else read_portrait
                    with self._computing:
                        session.portrait = read(Path(path), Path(path).name, self.drawer.pipeline.tracker, choice)
            return "" if session.portrait is None else fragments.face_found(self.drawer.crop(session.portrait), session.portrait.notes)

        return explained(take, fragments.alert)

    def voice(self, tab: str, path: str | None, sample: bool = False) -> str:
        """Take a voice, or take it away; see `portrait`.

        Args:
            tab: The browser's tab.
            path: The recording; None takes it away.
            sample: Whether it is one of the page's samples.

        Returns:
            HTML of what is odd about it, or empty.
        """
        session = self.store.get(tab)

        def take() -> str:
            if path is None:
                session.voice = None
                return ""
            if self._is_new(session, "voice", path, sample) or session.voice is None:
                session.voice = None
                session.voice = read_voice(Path(path), Path(path).name)
                # recognized (and remembered) now, beside thinking, so that the first drawing need not wait for it
                threading.Thread(target=self._listen, args=(session.voice,), daemon=True).start()
            return fragments.notes(session.voice.notes)

        return explained(take, fragments.alert)

    @staticmethod
    def refuse(message: Any) -> tuple[str | None, str | None]:
        """Say what the page's script has refused, or what a browser has.

        Args:
            message: See `tbd.studio.refusals.refusal`.

        Returns:
            What stands below the portrait and below the voice; None leaves it as it is.
        """
        try:
            place, sentence = refusal(message)
        except InputError as error:
            place, sentence = PORTRAIT, str(error)
        said = fragments.alert(sentence)
        return (None, said) if place == VOICE else (said, None)

    def _prepare(self, session: Session, portrait: Portrait, plan: MusclePlan) -> None:
        with contextlib.suppress(TBDError):  # drawing says so
            self.drawer.prepare(session, portrait, plan, session.settings.framing(PREVIEW_SIZE))

    def _listen(self, voice: Voice) -> None:
        with self._listening:
            self.drawer.pipeline.motion_model.audio_encoder.listen(voice.samples)

    @staticmethod
    def _is_new(session: Session, kind: str, path: str, sample: bool, how: str = "") -> bool:
        """Whether it is another file than before: what the page sets itself comes back as an event."""
        if not sample:
            session.uploads.add(Path(path))
        digest = f"{checksum_of_file(path)} {how}"
        new = session.given.get(kind) != digest
        session.given[kind] = digest
        return new

    def speak(self, tab: str, words: str, voice: str) -> tuple[str | None, str]:
        """Say typed words.

        Args:
            tab: Gradio's hash of the tab.
            words: What to say.
            voice: Name of the synthesizer's voice.

        Returns:
            The recording (None after a failure), and a failure or nothing.
        """
        session = self.store.get(tab)
        path = session.new_file("spoken.wav")

        def say() -> str:
            speak(words, voice, path)
            return ""

        failure = explained(say, fragments.alert)
        return (None if failure else str(path)), failure

    def think(self, tab: str, text: str) -> Thought:
        """Think the sentence and the voice into a plan.

        Args:
            tab: Gradio's hash of the tab.
            text: The sentence; empty to hear the feeling in the voice.

        Returns:
            What the page shows.
        """
        session = self.store.get(tab)

        def think() -> Thought:
            words = check_sentence(text)
            voice = session.voice if words else session.require_voice()  # a feeling is said, or heard
            picture = None if session.portrait is None else session.portrait.image
            with self._computing:
                pipeline = self.drawer.pipeline
                plan = pipeline.planner.plan(words) if voice is None else pipeline.think(words, voice.samples, picture)
            timeline = Timeline.of(plan)
            if session.history is None:
                session.history = History(timeline)
            else:
                session.history.push(timeline)
            session.perform()
            if session.portrait is not None and session.portrait.clip is None:  # so that the first preview need not wait for it
                threading.Thread(target=self._prepare, args=(session, session.portrait, plan), daemon=True).start()
            return self._thought(session)

        return explained(think, lambda sentence: self._thought(session, fragments.alert(sentence)))

    def edit(self, tab: str, message: Any) -> Thought:
        """Take over an edit of the timeline, undo one, do it again, or mend the plan.

        Args:
            tab: Gradio's hash of the tab.
            message: ``{"action": "edit" | "undo" | "redo" | "repair", "rows": […], "seq": 3}``.

        Returns:
            What the page shows.
        """
        session = self.store.get(tab)
        action = message.get("action") if isinstance(message, dict) else None
        seq = message.get("seq") if isinstance(message, dict) else None
        if isinstance(seq, int):
            session.seq = max(session.seq, seq)

        def change() -> Thought:
            timeline = session.require_timeline()
            history = session.history
            assert history is not None
            if action == "edit":
                history.push(timeline.edited(message))
            elif action == "repair":
                history.push(_mended(timeline))
            elif action == "undo":
                history.undo()
            elif action == "redo":
                history.redo()
            else:
                raise InputError("The page sent an edit of an unknown kind; reload it.")
            session.perform()
            return self._thought(session)

        return explained(change, lambda sentence: self._thought(session, fragments.alert(sentence)))

    def _thought(self, session: Session, note: str = "") -> Thought:
        if session.history is None:
            return Thought(note, "", "", EMPTY)
        timeline = session.history.current
        seconds = session.voice.sound.duration if session.voice is not None else timeline.plan.horizon()
        value = {**timeline.for_page(seconds), "seq": session.seq}
        return Thought(note, fragments.reasoning(timeline.plan), fragments.face_chart(timeline.plan), value)

    def framing(self, tab: str, frame: str, aspect: str | None) -> str:
        """Note what is shown, for what is drawn live and for the next preview.

        Args:
            tab: Gradio's hash of the tab.
            frame: ``portrait`` or ``full``.
            aspect: Width and height, such as ``9:16``; nothing for the usual one.

        Returns:
            A failure, or nothing.
        """
        session = self.store.get(tab)

        def note() -> str:
            session.settings = settings_of((None, None, None, 1.0, DEFAULT_SEED, 512, frame, aspect))
            return ""

        return explained(note, fragments.alert)

    def socket(self, tab: str) -> dict[str, str]:
        """Return the address, within the studio, at which this tab's portrait speaks live."""
        return {"socket": f"{LIVE_SOCKET}/{self.store.get(tab).token}"}

    def draw(self, tab: str, full: bool, *values: Any) -> Iterator[Drawn]:
        """Draw a preview, and the full video if it is wanted.

        Args:
            tab: Gradio's hash of the tab.
            full: Whether the full video is wanted.
            values: Emotion scale, muscle scale, audio scale, head motion, seed and size; then perhaps frame and aspect.

        Yields:
            What the page shows.
        """
        session = self.store.get(tab)
        session.stopped.clear()
        # in a thread, which ends by `stopped`: Gradio leaves the generators of closed tabs lying, and this one would keep its locks
        steps = ahead(self._steps(session, full, values), wait=False)
        while True:
            try:
                shown = next(steps, None)
            except Stopped:
                yield Drawn(fragments.alert("Stopped; nothing half-drawn was kept."), *self._settled(session))
                return
            except Exception as error:
                yield Drawn(fragments.alert(sentence_of(error)), *self._settled(session))
                return
            if shown is None:
                return
            yield shown

    def _steps(self, session: Session, full: bool, values: tuple[Any, ...]) -> Iterator[Drawn]:
        settings, folder = settings_of(values), session.folder
        try:
            with self._computing, self._listening, named(folder, "the file"):
                for progress in self.drawer.draw(session, settings, full):
                    yield self._drawn(session, progress)
        finally:
            session.sweep()

    def _drawn(self, session: Session, progress: Progress) -> Drawn:
        result = progress.result
        if result is None:
            shown = fragments.stage(progress)
            return Drawn(video=shown) if progress.stage == "video" else Drawn(preview=shown)
        compared = fragments.comparison(session)
        if progress.stage == "preview":
            return Drawn(preview=fragments.video(session, result, "Preview"), comparison=compared)
        return Drawn(video=fragments.video(session, result, "Video"), downloads=fragments.downloads(session, result), comparison=compared)

    def _settled(self, session: Session) -> tuple[str, str]:
        """What stands where a drawing ended early: what there was before."""
        preview, video = session.preview, session.result
        return (
            fragments.NOTHING_DRAWN if preview is None else fragments.video(session, preview, "Preview"),
            "" if video is None else fragments.video(session, video, "Video"),
        )

    def stop(self, tab: str) -> None:
        """End the tab's drawing at its next frame."""
        self.store.get(tab).stopped.set()

    def keep(self, tab: str) -> str:
        """Keep the newest video for comparison.

        Args:
            tab: Gradio's hash of the tab.

        Returns:
            What the page shows.
        """
        session = self.store.get(tab)
        before, newest = session.kept, session.result or session.preview
        if newest is None:
            return fragments.alert("There is no video to keep yet: draw one.")
        session.kept = newest
        session.forget(before)
        return fragments.comparison(session)

    def close(self, tab: str | None) -> None:
        """Forget a tab that was closed."""
        if tab is not None:
            self.store.close(tab)


def _mended(timeline: Timeline) -> Timeline:
    """The plan without findings; muted rows stay behind the others."""
    mended = Timeline.of(repair(timeline.plan)[0])
    return Timeline(mended.plan, (*mended.rows, *(row for row in timeline.rows if row.muted)))
