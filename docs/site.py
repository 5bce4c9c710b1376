"""What mkdocs does besides rendering docs/: pages of the API, pages of files elsewhere in the repository, and no network.

mkdocs calls the functions whose names begin with ``on_`` (its hooks).
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = (
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "benchmarks/**/*.md",
    "benchmarks/**/*.png",
    "benchmarks/**/*.html",
    "benchmarks/leaderboard/**/*.mp4",
)
"""Files beside docs/ that the site shows under the same path."""
LINK = re.compile(r"(?P<mark>!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)#\s]*)(?P<anchor>#[^)\s]*)?\)")
LOADED = re.compile(
    r"<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc=\"(?:https?:)?//"
    r"|<link\b[^>]*\brel=\"(?!canonical)[^>]*href=\"(?:https?:)?//"
)
"""What a browser would fetch from elsewhere by itself; links to follow are none."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in docs/, and the API to the navigation."""
    for path in sorted(path for pattern in OUTSIDE for path in ROOT.glob(pattern)):
        files.append(File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)))
    packages = {page: modules for page, modules in _packages() if modules}
    for page, modules in packages.items():
        name = page.removeprefix("api/").removesuffix(".md")
        text = "\n".join([f"# {name}", *(_section(module) for module in modules)])
        files.append(File.generated(config, page, content=text))
    if not any("API" in entry for entry in config.nav):
        config.nav.append({"API": [{page.removeprefix("api/").removesuffix(".md"): page} for page in packages]})
    return files


def _section(module: str) -> str:
    """Return what mkdocstrings makes a module's part of: of a package that only hands on names, its docstring alone."""
    path = ROOT.joinpath(*module.split("."), "__init__.py")
    own = not path.is_file() or re.search(r"^(def|class) ", path.read_text(encoding="utf-8"), re.MULTILINE)
    return f"\n::: {module}" + ("" if own else "\n    options:\n      members: false")


def _packages() -> list[tuple[str, list[str]]]:
    """Return a page and its modules for every package of tbd."""
    made = []
    for folder in sorted({path.parent for path in (ROOT / "tbd").rglob("__init__.py")}):
        package = ".".join(folder.relative_to(ROOT).parts)
        files = [path for path in sorted(folder.glob("*.py")) if path.stem != "__main__"]
        modules = [package if path.stem == "__init__" else f"{package}.{path.stem}" for path in files]
        if any(path.read_text(encoding="utf-8").strip() for path in files):
            made.append((f"api/{package}.md", sorted(modules)))
    return made


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links between files of the repository to the pages that they are here; a file that is none stays as its name."""
    where = page.file.src_uri
    source = where if (ROOT / where).is_file() and not (ROOT / "docs" / where).is_file() else f"docs/{where}"

    def led(match: re.Match[str]) -> str:
        target = match["target"]
        if not target or ":" in target or target.startswith("/"):
            return match[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target)).removeprefix("docs/")
        if files.get_file_from_path(path) is None:
            return match[0] if not (ROOT / path).exists() else match["text"]
        relative = posixpath.relpath(path, posixpath.dirname(where) or ".")
        return f"{match['mark']}[{match['text']}]({relative}{match['anchor'] or ''})"

    return LINK.sub(led, markdown)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Refuse a page that a browser could only show with the network."""
    if found := LOADED.search(output):
        raise PluginError(f"{page.file.src_uri} loads something from elsewhere: {found[0]}")
    return output
