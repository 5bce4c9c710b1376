"""Start the studio: a page on this machine, which asks no other for anything."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tbd import MOTION_MODEL
from tbd.errors import InputError, TBDError
from tbd.studio.limits import MAX_QUEUE, MAX_UPLOAD_MIB

if TYPE_CHECKING:
    from tbd.pipeline import TalkingHeadPipeline
    from tbd.studio.drawing import Drawer

LOCALHOST = "127.0.0.1"


def require_gradio() -> None:
    """Check that Gradio is installed.

    Raises:
        InputError: If it is not.
    """
    # before it is imported: it reads them then. Nothing is reported, looked up or downloaded.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        import gradio  # noqa: F401
    except ImportError as error:
        raise InputError("The studio needs Gradio; run: pip install 'tbd[studio]'") from error


@contextmanager
def serve(
    pipeline: "TalkingHeadPipeline",
    host: str = LOCALHOST,
    port: int | None = None,
    share: bool = False,
    open_browser: bool = False,
    model: str = MOTION_MODEL,
) -> Iterator[str]:
    """Serve the studio while the block runs; afterwards nothing of it is left on the disk.

    Args:
        pipeline: Thinks and draws.
        host: Address to listen on; the default answers this machine alone.
        port: Port to listen on; None takes the first that is free from 7860 on.
        share: Whether Gradio's makers forward a public address to this machine.
        open_browser: Whether to show the page in the user's browser.
        model: The name of the pipeline's motion model, for the command line that the page shows.

    Yields:
        The page's address.

    Raises:
        InputError: If Gradio is not installed, or the port is taken.
    """
    require_gradio()
    from tbd.studio.drawing import Drawer

    with tempfile.TemporaryDirectory(prefix="tbd-studio-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary).resolve()
        before = os.environ.get("GRADIO_TEMP_DIR")
        os.environ["GRADIO_TEMP_DIR"] = str(folder / "uploads")
        try:
            yield from _serve(folder, Drawer(pipeline, model), host, port, share, open_browser)
        finally:
            _remove_unused()
            if before is None:
                del os.environ["GRADIO_TEMP_DIR"]
            else:
                os.environ["GRADIO_TEMP_DIR"] = before


def _serve(folder: Path, drawer: "Drawer", host: str, port: int | None, share: bool, open_browser: bool) -> Iterator[str]:
    import gradio as gr
    from starlette.middleware import Middleware

    from tbd.studio.files import file_routes
    from tbd.studio.handlers import Handlers
    from tbd.studio.layout import ASSETS, Samples, build_page
    from tbd.studio.live import LiveVisits
    from tbd.studio.middleware import FolderAlias, UploadGuard
    from tbd.studio.session import SessionStore
    from tbd.utils.sample_inputs import write_samples

    sessions = folder / "sessions"
    sessions.mkdir()
    store = SessionStore(sessions, uploads=folder / "uploads")
    page, visits = build_page(Handlers(drawer, store), Samples(*write_samples(folder / "samples"))), LiveVisits(drawer, store)
    page.queue(max_size=MAX_QUEUE)
    routes = [*file_routes(store), visits.route()]
    middleware: list[Any] = [Middleware(UploadGuard), Middleware(FolderAlias, folder=folder)]
    fonts = ["system-ui", "-apple-system", "Segoe UI", "Noto Sans", "DejaVu Sans", "sans-serif"]
    theme = gr.themes.Base(primary_hue="orange", font=fonts, font_mono=["ui-monospace", "Menlo", "DejaVu Sans Mono", "monospace"])
    # text of at least 4.5 : 1 on its ground, in light and dark
    theme.set(
        block_info_text_color="*neutral_600", block_info_text_color_dark="*neutral_300", block_label_text_color="*neutral_700",
        block_label_text_color_dark="*neutral_200", block_title_text_color="*neutral_700", block_title_text_color_dark="*neutral_200",
        button_primary_background_fill="#9c4326", button_primary_background_fill_dark="#9c4326", button_primary_text_color="white",
        button_primary_background_fill_hover="#7d341c", button_primary_background_fill_hover_dark="#7d341c",
        slider_color="#9c4326", slider_color_dark="#d9825f", input_placeholder_color="*neutral_500",
    )  # fmt: skip
    try:
        _, local, public = page.launch(
            server_name=host, server_port=port, share=share, inbrowser=open_browser, prevent_thread_lock=True, quiet=True,
            show_error=False, max_file_size=f"{MAX_UPLOAD_MIB}mb", footer_links=[], theme=theme, css_paths=ASSETS / "studio.css",
            ssr_mode=False, pwa=False, mcp_server=False, enable_monitoring=False, app_kwargs={"routes": routes, "middleware": middleware},
        )  # fmt: skip
    except OSError as error:
        where = f"port {port}" if port is not None else "any port from 7860 on"
        raise InputError(f"The studio cannot listen on {where} of {host}; choose another with --port.") from error
    except Exception as error:
        if share:
            raise TBDError("Gradio could not make a public address (--share); it needs a network.") from error
        raise
    _remove_unused()
    try:
        yield public or local
    finally:
        store.close_all()
        visits.close()
        page.close(verbose=False)


def _remove_unused() -> None:
    """Remove the folder of Gradio's history of vibes, which it makes where it was imported, if nothing is in it."""
    from gradio import routes

    with suppress(OSError, AttributeError):
        folder = Path(routes.DEFAULT_TEMP_DIR)
        (folder / "vibe_edit_history").rmdir()
        folder.rmdir()
