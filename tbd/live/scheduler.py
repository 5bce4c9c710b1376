"""`LiveScheduler`: all faces that talk on a machine at the same time, drawn together."""

import threading
import time
from collections.abc import Sequence

from tbd.draw.motion.stream_windows import StreamWindow, sample_windows
from tbd.live.load import HOPELESS, LATE, Level, LoadShedder
from tbd.live.render_processes import RenderPool, RenderProcesses
from tbd.live.speaker import Speaker


class LiveScheduler:
    """Draws the motion of all speakers in one thread, and has their frames rendered by a few processes.

    Most of what a window of motion costs is reading the model's weights. So the windows of all speakers are drawn together: four cost
    little more than two apart. Where the machine is too slow all give way alike (see `tbd.live.load`), and whoever has fallen behind
    gets twice the frames of a hop.

    Threads run while somebody speaks; the processes, from when somebody does first until `close`.

    Args:
        processes: How many processes render frames, since Python's interpreter lock lets motion and a mesh warp take as long as one
            after the other; None for one on each core but the motion's, up to four, and 0 for none. Renderers other than the mesh warp
            draw in a thread of this process.
        load: What gives way; a `LoadShedder` of its own by default.
    """

    def __init__(self, processes: int | None = None, load: LoadShedder | None = None) -> None:
        self.load = load or LoadShedder()
        self.processes, self._speakers = RenderProcesses(processes), list[Speaker]()
        self._changed, self._noted = threading.Condition(), False
        self._thread: threading.Thread | None = None
        self._turn = 0

    def __enter__(self) -> "LiveScheduler":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def join(self, speaker: Speaker) -> None:
        """Let somebody speak, until all has been drawn or `leave`.

        Args:
            speaker: Who.
        """
        self.processes.load(speaker.performance.renderer)
        with self._changed:
            self._speakers.append(speaker)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="tbd-live-motion", daemon=True)
                self._thread.start()
        self.notify()

    def leave(self, speaker: Speaker) -> None:
        """Draw nothing more of somebody; who has left already may."""
        with self._changed:
            if speaker in self._speakers:
                self._speakers.remove(speaker)
        self.notify()

    def close(self) -> None:
        """End the processes that render."""
        self.processes.close()

    def notify(self) -> None:
        """Say that there is sound to be taken, or that there is room for frames again."""
        with self._changed:
            self._noted = True
            self._changed.notify()

    def _run(self) -> None:
        pool = RenderPool(self.processes)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._noted or not self._speakers)
                self._noted = False
                if not self._speakers:
                    self._thread = None
                    break
            while self._draw_once(pool):
                pass
        pool.shutdown(wait=False)  # frames that somebody still waits for are drawn; who closes cancels theirs

    def _draw_once(self, pool: RenderPool) -> bool:
        """Take what sound has come, and draw a window of everybody if it is time; return whether it was."""
        with self._changed:
            speakers = [*self._speakers]
        for speaker in speakers:
            with speaker.guarded():
                speaker.take()
            if speaker.over:
                self.leave(speaker)
        speakers = [speaker for speaker in speakers if not speaker.over and speaker.has_room and speaker.available > 0]
        due = [speaker for speaker in speakers if speaker.is_due]
        # who is ready waits for the others, a frame at most, so that the next hops of all come at the same time
        if not due or not (len(due) == len(speakers) or any(speaker.has_waited for speaker in due)):
            return False
        self._turn = (self._turn + 1) % len(speakers)  # what is too late to be rendered is not always the same one's
        self._draw(speakers[self._turn :] + speakers[: self._turn], due, pool)
        return True

    def _draw(self, speakers: Sequence[Speaker], due: Sequence[Speaker], pool: RenderPool) -> None:
        now = time.monotonic()
        late = {speaker: speaker.late(now) for speaker in speakers}
        level = self.load.update(min(late[speaker] for speaker in due), any(speaker.waits for speaker in speakers))
        counts = {speaker: speaker.wanted(late[speaker] > LATE) for speaker in speakers}
        moving = {speaker: count for speaker, count in counts.items() if late[speaker] <= HOPELESS}
        windows: dict[Speaker, StreamWindow] = {}
        for speaker, count in counts.items():
            with speaker.guarded():
                if speaker in moving:
                    windows[speaker] = speaker.window(count, max(moving.values()))
                else:
                    speaker.hold(count, pool)
        for alike in _alike([*windows], level):
            self._sample({speaker: windows[speaker] for speaker in alike}, level, pool)

    @staticmethod
    def _sample(windows: dict[Speaker, StreamWindow], level: Level, pool: RenderPool) -> None:
        """Draw windows that are drawn alike."""
        motion = next(iter(windows)).performance.motion
        steps = motion.options.num_inference_steps if level.steps is None else level.steps
        try:
            drawn = sample_windows(motion.model, [*windows.values()], motion.guidance_for(level.cheaply), steps)
        except Exception as error:  # whose fault it is cannot be told
            for speaker in windows:
                speaker.fail(error)
            return
        for speaker, values in zip(windows, drawn):
            with speaker.guarded():
                speaker.accept(values, pool, level.stride)


def _alike(speakers: Sequence[Speaker], level: Level) -> list[list[Speaker]]:
    """Those whose windows one call draws: with one model, one guidance, as many steps."""
    groups: dict[tuple[int, int, int], list[Speaker]] = {}
    for speaker in speakers:
        motion = speaker.performance.motion
        key = id(motion.model), id(motion.guidance_for(level.cheaply)), motion.options.num_inference_steps
        groups.setdefault(key, []).append(speaker)
    return [*groups.values()]
