"""What ``setup.cfg`` cannot say: folders beside the package that wheels carry inside it, and links that work anywhere.

``configs/`` and the data of ``benchmarks/`` stay at the top of the repository, where people look for them; `tbd.utils.packaged_files` finds
either place.
"""

import os
import re
from pathlib import Path

from setuptools import find_packages, setup

SHIPPED = {
    "tbd.configs": "configs",
    "tbd.benchmarks.ablations": "benchmarks/ablations",
    "tbd.benchmarks.leaderboard": "benchmarks/leaderboard",
}
SOURCE = os.environ.get("TBD_SOURCE_URL", "").rstrip("/")
"""Address of the repository, which only whoever publishes it knows; without it links stay relative and a wheel names no project page."""


def long_description() -> str:
    """Return README.md, its links and pictures absolute where the builder names the repository in TBD_SOURCE_URL."""
    text = Path("README.md").read_text(encoding="utf-8")
    if not SOURCE:
        return text
    pages = rf"\1({SOURCE}/blob/main/\2)"
    text = re.sub(r"(!\[[^\]]*\])\((?!\w+:)([^)#]+)\)", rf"\1({SOURCE}/raw/main/\2)", text)
    return re.sub(r"((?<!!)\[[^\]]*\])\((?!\w+:)([^)#]+)\)", pages, text)


def project_urls() -> dict[str, str]:
    """Return the addresses that package indexes show beside a release: none where the repository's is unknown."""
    pages = {"Changelog": "CHANGELOG.md", "Documentation": "docs/index.md"}
    return {"Source": SOURCE, "Issues": f"{SOURCE}/issues", **{n: f"{SOURCE}/blob/main/{p}" for n, p in pages.items()}} if SOURCE else {}


setup(
    packages=[*find_packages(include=["tbd*"]), *SHIPPED],
    package_dir=SHIPPED,
    package_data={"tbd": ["py.typed", "assets/**"], **{name: ["**"] for name in SHIPPED}},
    project_urls=project_urls(),
    long_description=long_description(),
    long_description_content_type="text/markdown",
)
