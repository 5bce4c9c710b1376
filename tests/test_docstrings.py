"""How many public functions of the package describe their arguments and their results: shares that only rise.

ruff and pydoclint check that a section is whole where there is one; that there is one where a reader needs it is checked here.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "tbd"
LEAST_ARGS, LEAST_RETURNS, MOST_WITHOUT = 0.98, 0.98, 0
"""Floors of the two shares, and the number of public functions that may lack a docstring. Raise them as files become clean."""
_WITHOUT_RESULT = {"None", "NoReturn", "Never"}
_NOT_CALLED = {"property", "cached_property", "setter"}
_DOCUMENTED_ELSEWHERE = {"overload", "override"}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Function:
    """A public function or method, and what its docstring has.

    Args:
        place: File, line and qualified name.
        parameters: Number of parameters, without `self` and `cls`.
        returns: Whether it gives its caller a value.
        doc: The docstring, "" where there is none.
    """

    place: str
    parameters: int
    returns: bool
    doc: str

    @property
    def due(self) -> bool:
        """Whether a reader needs more than a summary line."""
        return self.parameters >= 2

    @property
    def has_args(self) -> bool:
        return "Args:" in self.doc

    @property
    def has_returns(self) -> bool:
        return "Returns:" in self.doc or "Yields:" in self.doc


def functions(source: str, file: str = "") -> Iterator[Function]:
    """Yield the public functions of a module, and the public methods of its public classes."""
    yield from _within(ast.parse(source).body, file, "")


def _within(body: Sequence[ast.stmt], file: str, prefix: str) -> Iterator[Function]:
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from _within(node.body, file, f"{prefix}{node.name}.")
        if isinstance(node, _FUNCTIONS) and not node.name.startswith("_") and not _decorators(node) & _DOCUMENTED_ELSEWHERE:
            given = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            count = len([name for name in given if name not in ("self", "cls")])
            yield Function(f"{file}:{node.lineno} {prefix}{node.name}", count, _returns(node), ast.get_docstring(node) or "")


def _decorators(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Last names of the decorators: `functools.cached_property` is ``cached_property``."""
    return {ast.unparse(d).partition("(")[0].rpartition(".")[2] for d in node.decorator_list}


def _returns(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    if _decorators(node) & _NOT_CALLED or (node.returns is not None and ast.unparse(node.returns) in _WITHOUT_RESULT):
        return False
    return node.returns is not None or any(isinstance(n, ast.Return) and n.value is not None for n in _own_statements(node))


def _own_statements(node: ast.AST) -> Iterator[ast.AST]:
    """Everything within a function, but for the functions and classes inside it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (*_FUNCTIONS, ast.Lambda, ast.ClassDef)):
            yield child
            yield from _own_statements(child)


def share(those: Sequence[Function], those_with: Sequence[Function]) -> float:
    return len(those_with) / max(len(those), 1)


FOUND = [f for path in sorted(PACKAGE.rglob("*.py")) for f in functions(path.read_text("utf-8"), str(path.relative_to(PACKAGE.parent)))]


def test_arguments_are_described():
    due = [f for f in FOUND if f.due]
    lacking = [f.place for f in due if not f.has_args]
    assert share(due, [f for f in due if f.has_args]) >= LEAST_ARGS, lacking


def test_results_are_described():
    due = [f for f in FOUND if f.due and f.returns]
    lacking = [f.place for f in due if not f.has_returns]
    assert share(due, [f for f in due if f.has_returns]) >= LEAST_RETURNS, lacking


def test_public_functions_have_docstrings():
    assert len(without := [f.place for f in FOUND if not f.doc]) <= MOST_WITHOUT, without


SAMPLE = '''
from typing import overload

def both(a, b) -> int:
    """Do.

    Args:
        a: One.
        b: Another.

    Returns:
        Both.
    """
    return a + b

def silent(a, b): ...

def inferred(a, b):
    """Do."""
    return a

def within(a, b) -> None:
    """Do."""
    def inner():
        return a

def _private(a, b): return a

@overload
def typed(a, b) -> int: ...

class Public:
    @property
    def name(self) -> str:
        """Name."""
        return ""

    def method(self, a, *, b):
        """Yield.

        Yields:
            Things.
        """
        yield a

class _Private:
    def method(self, a, b): return a
'''


def test_the_counting_counts():
    """On a module in which everything is known."""
    found = {f.place.partition(" ")[2]: f for f in functions(SAMPLE, "x.py")}
    assert list(found) == ["both", "silent", "inferred", "within", "Public.name", "Public.method"]
    assert {name for name, f in found.items() if f.due} == {"both", "silent", "inferred", "within", "Public.method"}
    assert {name for name, f in found.items() if f.due and f.returns} == {"both", "inferred"}
    assert {name for name, f in found.items() if f.has_args} == {"both"}
    assert {name for name, f in found.items() if f.has_returns} == {"both", "Public.method"}
    assert {name for name, f in found.items() if not f.doc} == {"silent"}


def exported_classes() -> Iterator[tuple[str, str]]:
    """Yield the place and the docstring of each class that a package offers by its ``__init__``."""
    inits = [ast.walk(ast.parse(path.read_text("utf-8"))) for path in PACKAGE.rglob("__init__.py")]
    nodes = [node for init in inits for node in init]
    offered = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    offered |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}  # lazily, by name
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name in offered:
                yield f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}", ast.get_docstring(node) or ""


def test_classes_that_packages_offer_have_an_example():
    """pytest runs the examples (`--doctest-modules`)."""
    offered = list(exported_classes())
    assert len(offered) > 80 and not [place for place, doc in offered if ">>>" not in doc]
