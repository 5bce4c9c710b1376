"""MediaPipe without Matplotlib and sound devices, which it imports for plots and recordings of its own: 0.2 s instead of 0.5."""

from functools import cache

from tbd.utils.late_imports import imported_when_used


@cache
def load_mediapipe() -> None:
    """Import MediaPipe, to be called before parts of it are imported.

    Example:
        >>> load_mediapipe()
        >>> from mediapipe.python.solutions.face_mesh_connections import FACEMESH_LIPS
        >>> len(FACEMESH_LIPS)
        40
    """
    with imported_when_used({"matplotlib": (), "matplotlib.pyplot": (), "sounddevice": ()}):
        import mediapipe  # noqa: F401
