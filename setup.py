"""What ``setup.cfg`` cannot say: folders beside the package that wheels carry inside it, and a long description whose links work anywhere.

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


def long_description() -> str:
    """Return README.md, its links and pictures absolute where the builder names the repository in TBD_SOURCE_URL."""
    text = Path("README.md").read_text(encoding="utf-8")
    source = os.environ.get("TBD_SOURCE_URL", "").rstrip("/")
    if not source:
        return text
    pages = rf"\1({source}/blob/main/\2)"
    text = re.sub(r"(!\[[^\]]*\])\((?!\w+:)([^)#]+)\)", rf"\1({source}/raw/main/\2)", text)
    return re.sub(r"((?<!!)\[[^\]]*\])\((?!\w+:)([^)#]+)\)", pages, text)


setup(
    packages=[*find_packages(include=["tbd*"]), *SHIPPED],
    package_dir=SHIPPED,
    package_data={"tbd": ["assets/**"], **{name: ["**"] for name in SHIPPED}},
    long_description=long_description(),
    long_description_content_type="text/markdown",
)
