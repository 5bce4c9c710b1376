"""What jsonargparse says about a wrong option or configuration, as one sentence: where, what, and the nearest right name.

jsonargparse's messages are trees: keys, class paths, and a leaf for each type that was tried. `leaves` reads them.
"""

import re
from argparse import ArgumentError
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tbd.errors import InputError, TBDError
from tbd.utils.option_sources import broken_file, place_of, whole_class
from tbd.utils.suggestions import arguments_of, base_of, classes_of, near

_NOISE = re.compile(
    r"(Expected a path but|Does not validate against|Subtypes:|Errors:|Given value|Subclass types expect|a class path \(str\)|a dict with|"
    r"Expected a <class 'NoneType'>|Expected a <class 'collections.abc.Iterable'>)"
)
_KEY, _CLASS = re.compile(r'Parser key "([^"]*)":\s*(.*)'), re.compile(r"Problem with given class_path '([^']*)':")


class Leaf(NamedTuple):
    """One thing that is wrong.

    Args:
        path: Keys from the top, such as ``("model", "guidance", "switch")``; ``init_args`` left out.
        owners: Class paths on the way.
        text: jsonargparse's words.
        value: What was given there, where they say so.
    """

    path: tuple[str, ...]
    owners: tuple[str, ...]
    text: str
    value: str | None = None


def leaves(message: str) -> list[Leaf]:
    """The leaves of jsonargparse's tree, in its order."""
    stack: list[tuple[int, str, str]] = []
    found = []
    for line in message.splitlines():
        indent, text = len(line) - len(line.lstrip()), line.strip().removeprefix("- ")
        given = re.match(r"Given value: (?!Namespace|NestedArg|\[)(.*)", text)
        if given:
            found = [leaf._replace(value=leaf.value or given[1]) if leaf.path == _keys(stack, indent) else leaf for leaf in found]
        if not text or _NOISE.match(text):
            continue
        stack = [entry for entry in stack if entry[0] < indent]
        key, kind = _KEY.match(text), _CLASS.match(text)
        if key:
            stack.append((indent, "key", key[1]))
        elif kind:
            stack.append((indent, "class", kind[1]))
        text = key[2] if key else "" if kind else text
        if text:
            found.append(Leaf(_keys(stack), tuple(name for _, what, name in stack if what == "class"), text))
    return found


def _keys(stack: Sequence[tuple[int, str, str]], below: float = float("inf")) -> tuple[str, ...]:
    return tuple(part for indent, what, name in stack if what == "key" and indent < below for part in name.split("."))


# -- sentences -------------------------------------------------------------------------------------------------------------

_RULES: list[tuple[str, Any]] = []
"""Pattern → what to say, best first: of several leaves, the one that an earlier rule fits is told."""


def _rule(pattern: str) -> Any:
    def add(function: Any) -> Any:
        _RULES.append((pattern, function))
        return function

    return add


@_rule(r"module '?(?P<module>[\w.]+)'? has no attribute '?(?P<name>\w+)")
def _no_class(leaf: Leaf, module: str, name: str) -> str:
    return f"there is no class {name} in {module}{near(f'{module}.{name}', classes_of(base_of(leaf.path, leaf.owners[:-1]), module))}"


@_rule(r"No module named '(?P<module>[\w.]+)'")
def _no_module(leaf: Leaf, module: str) -> str:
    wanted = leaf.owners[-1] if leaf.owners else module
    if not (wanted == module or wanted.startswith(module + ".")):
        return f"{wanted} needs the module {module}, which is not installed; `pip install {module.partition('.')[0]}`"
    return f"there is no module {module}{near(wanted, classes_of(base_of(leaf.path, leaf.owners[:-1])))}"


@_rule(r"(Expected a dot import path string|Unexpected import path format): (?P<name>.*)")
def _no_path(leaf: Leaf, name: str) -> str:
    if "/" in name or Path(name).suffix in (".yaml", ".yml", ".json"):
        return f"there is no file {name}"
    return f"there is no class {name}{near(name, classes_of(base_of(leaf.path, leaf.owners)))}"


@_rule(r"Import path (?P<name>[\w.]+ )?does not correspond to a subclass of (?P<base>\w+)")
def _other_base(leaf: Leaf, name: str | None, base: str) -> str:
    such = [path.rpartition(".")[2] for path in classes_of(base_of(leaf.path, leaf.owners))]
    return f"{(name or leaf.value or 'it').strip()} is no {base}" + (f"; such are {', '.join(such[:6])}" if such else "")


@_rule(r"(Option|Key) '(?P<name>[\w.-]+)' is not (accepted|expected)")
def _no_argument(leaf: Leaf, name: str) -> str:
    owner, first = (leaf.owners[-1] if leaf.owners else ""), name.removeprefix("init_args.").split(".")[0]
    return f"{owner.rpartition('.')[2] or 'it'} takes no {first}{near(first, arguments_of(owner), 'it takes')}"


@_rule(r"[Tt]he following arguments are required: (?P<names>.+)")
def _missing(leaf: Leaf, names: str) -> str:
    if not leaf.owners:
        own = [f"--{name.strip().removeprefix('--').removeprefix('fit.')}" for name in names.split(",")]
        experiment = ", most simply by --config with an experiment's file" if "--model" in own else ""
        return f"{' and '.join(own)} must be given{experiment}"
    return f"{leaf.owners[-1].rpartition('.')[2]} needs {names} (init_args.{names.split(',')[0]})"


@_rule(r"(Key|Option) [\"'](?P<name>[\w.-]+)[\"'] is required")
def _required(leaf: Leaf, name: str) -> str:
    return f"--{name} must be given"


@_rule(r"Not a valid subclass of (?P<base>\w+)(. Got value: (?P<value>.*))?")
def _no_subclass(leaf: Leaf, base: str, value: str | None) -> str:
    return f"{value or leaf.value or 'what is given'} is no {base}; name a class, or a YAML file with class_path and init_args"


@_rule(r"(File does not exist|No such file): '?(?P<name>[^']+)'?")
def _no_file(leaf: Leaf, name: str) -> str:
    return f"there is no file {name}"


@_rule(r"Path is not a file: '?(?P<name>[^']+)'?")
def _no_plain_file(leaf: Leaf, name: str) -> str:
    return f"{name} is a folder, not a file"


@_rule(r"Expected an? (?P<kind>.+?)(\. Got value: (?P<value>.*))?$")
def _wrong_type(leaf: Leaf, kind: str, value: str | None) -> str:
    value = value or leaf.value or "what is given"
    literals = [name.strip(" '") for names in re.findall(r"Literal\[(.*?)\]", kind) for name in names.split(",")]
    kinds = [_article(name) for name in re.sub(r"typing\.Literal\[.*?\]", "", kind).split(" / ") if name.strip()]
    if literals and not kinds:
        return f"{_short(value)} is not one of {', '.join(dict.fromkeys(literals))}{near(value, literals, None)}"
    return f"{_short(value)} is not {' or '.join([*dict.fromkeys(kinds), *literals])}"


def _article(kind: str) -> str:
    name = re.sub(r"<class '(?:.*\.)?([^'.]*)'>", r"\1", kind)
    word = {"int": "whole number", "float": "number", "dict": "mapping"}.get(name, name)
    return {"str": "text", "bool": "true or false"}.get(name, f"a {word}")


def _short(value: str) -> str:
    return value if len(value) < 80 else f"{value[:77]}…"


def problem(found: Sequence[Leaf]) -> tuple[tuple[str, ...], str] | None:
    """Where, and what is wrong: of the leaf that says most."""
    found = _joined(found)
    for pattern, say in _RULES:
        for leaf in found:
            fits = re.match(pattern, leaf.text)
            if fits:
                at = leaf.path
                if say is _no_argument:
                    at += (fits["name"].removeprefix("init_args."),)
                return at, say(leaf, **fits.groupdict())
    return (found[0].path, found[0].text) if found else None


def _joined(found: Sequence[Leaf]) -> list[Leaf]:
    """The types that a place could have held as one leaf."""
    whole: dict[Any, Leaf] = {}
    for leaf in found:
        fits = re.match(r"Expected an? (.+?)(\. Got value: .*)?$", leaf.text)
        key = leaf.path if fits else (leaf.path, leaf.text)
        if fits and key in whole:
            leaf = whole[key]._replace(text=re.sub(r"(\. Got value: .*)?$", f" / {fits[1]}\\1", whole[key].text, count=1))
        whole[key] = leaf
    return list(whole.values())


# -- the whole -------------------------------------------------------------------------------------------------------------


def sentence(message: str, arguments: Sequence[str] = (), options: Sequence[str] = ()) -> str:
    """One sentence for a message of jsonargparse, argparse, YAML or OmegaConf.

    Args:
        message: Its words.
        arguments: The command line, to say what of it or which of its files is meant.
        options: What the parser takes, such as ``--trainer.max_steps``.
    """
    told = _sentence(message, arguments, options)
    return told[:-1] if told.endswith("?.") else told


def _sentence(message: str, arguments: Sequence[str], options: Sequence[str]) -> str:
    if re.match(r"Problems parsing config|Unexpected config|Unable to load config|while |mapping values", message):
        told = broken_file(arguments)
        if told:
            return told
    if (unknown := re.search(r"unrecognized arguments: (.*)", message, re.DOTALL)) is not None:
        return _unknown(unknown[1].split(), options)
    if (unknown := re.search(r"does not accept option '([^']+)'", message)) is not None:
        return f"{place_of(tuple(unknown[1].split('.')), arguments)}: there is no such key{_near_key(unknown[1], options)}."
    if (lacks := re.search(r"argument (?:-\w/)?(--[\w.-]+)(/\S+)?: expected (at least )?one argument", message)) is not None:
        given = next((a for a in reversed(arguments) if a.startswith(lacks[1])), lacks[1])
        return f"{given} needs a value."
    if (choice := re.search(r"argument ([\w./-]+): invalid choice: '?([^' ]*)'? \(choose from (.*)\)", message)) is not None:
        names = [name.strip(" '") for name in choice[3].split(",")]
        return f"{choice[1]}: {choice[2]} is not one of {', '.join(names)}{near(choice[2], names, None)}."
    if (which := re.search(r"to be one of \{(.+?)\}, but it was not provided", message)) is not None:
        names = [name.strip() for name in which[1].split(",")]  # jsonargparse lists five
        return f"say which: {', '.join('…' if name == '...' else name for name in names).rstrip('.')}."
    if (key := re.search(r"Interpolation key '([^']*)' not found.*?full_key: (\S+)", message, re.DOTALL)) is not None:
        path = tuple(name for name in key[2].split(".") if name not in ("fit", "validate", "test"))
        return f"{place_of(path, arguments)}: the ${{…}} there names no key {key[1].lstrip('.')}."
    if (broken := re.search(r"while resolving interpolation: (.*)", message)) is not None:
        return f"a ${{…}} of the configuration cannot be filled in: {broken[1].rstrip('.')}."
    if (loop := re.search(r"Config file loop detected: (\S+)", message)) is not None:
        found = leaves(message)
        inner = whole_class(loop[1], base_of(found[0].path, found[0].owners), found[0].path) if found else None
        if inner is not None:
            return f"{loop[1]}: {(problem(leaves(inner)) or ((), inner))[1]}."
    told = problem(leaves(message))
    if told is None or not told[1]:
        return " ".join(message.split())[:300]
    where = place_of(told[0], arguments) if told[0] else ""
    text = told[1].rstrip(".")
    return f"{where}: {text}." if where else f"{text}."


def _unknown(given: Sequence[str], options: Sequence[str]) -> str:
    wrong = next((word for word in given if word.startswith("-")), None)
    if wrong is None:
        return f"it does not take {' '.join(given)}; options begin with --."
    name = wrong.partition("=")[0]
    return f"there is no option {name}{near(name, [o for o in options if o.startswith('--')], None)}."


def _near_key(key: str, options: Sequence[str]) -> str:
    known = [option.removeprefix("--") for option in options if option.startswith("--")]
    told = near(key, known, None, 0.8)
    if told:
        return told
    tops = sorted({name.split(".")[0] for name in known})
    return near(key.split(".")[0], tops, "the keys are")


def _options(parser: Any, arguments: Sequence[str]) -> list[str]:
    """What a parser takes, and those of its subcommands that the command line names."""
    found = list(getattr(parser, "_option_string_actions", ()))
    for action in getattr(parser, "_actions", ()):
        inner = action.choices if isinstance(getattr(action, "choices", None), dict) else {}
        for name in set(arguments) & set(inner):
            found += _options(inner[name], arguments)
    return found


@contextmanager
def explained(arguments: Any = (), parser: Any = None) -> Iterator[None]:
    """Turns what a parser raises into `InputError` with one sentence.

    Args:
        arguments: The command line.
        parser: For the names of its options.
    """
    try:
        yield
    except TBDError:
        raise
    except ArgumentError as error:
        given = list(arguments) if isinstance(arguments, (list, tuple)) else []
        raise InputError(sentence(str(error), given, _options(parser, given))) from error
    except Exception as error:
        if type(error).__module__.split(".")[0] not in ("omegaconf", "yaml", "jsonargparse"):
            raise
        raise InputError(sentence(str(error), list(arguments or ()))) from error


@contextmanager
def explained_building() -> Iterator[None]:
    """Turns what a component's constructor says about its arguments into `InputError`."""
    try:
        yield
    except (ValueError, TypeError, ImportError) as error:
        missing = getattr(error, "name", None) if isinstance(error, ModuleNotFoundError) else None
        if missing:
            raise InputError(f"the configuration needs the module {missing}, which is not installed; `pip install {missing}`.") from error
        raise InputError(_unbuilt(str(error))) from error
    except Exception as error:
        if type(error).__name__ != "MisconfigurationException":
            raise
        raise InputError(_unbuilt(str(error))) from error


def _unbuilt(message: str) -> str:
    tree = "Does not validate against" in message or "Problem with given class_path" in message
    told = problem(leaves(message)) if tree else None
    text = " ".join((told[1] if told else message).split())[:300]
    return f"the configuration cannot be built: {text.rstrip('.')}."
