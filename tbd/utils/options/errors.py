"""Shorten jsonargparse's errors about an option or configuration to one sentence: where, what, and the nearest valid name.

jsonargparse's messages are trees: keys, class paths, and a leaf for each type that was tried. `parse_leaves` reads them.
"""

import re
import traceback
from argparse import ArgumentError
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tbd.errors import InputError, TBDError
from tbd.utils.options.sources import check_component_file, class_path_of, find_broken_config, locate_option
from tbd.utils.options.suggestions import component_classes, constructor_arguments, nested_arguments, slot_base_class, suggest

_NOISE = re.compile(
    r"(Expected a path but|Does not validate against|Subtypes:|Errors:|Given value|Subclass types expect|a class path \(str\)|a dict with|"
    r"Expected a <class 'NoneType'>|Expected a <class 'collections.abc.Iterable'>)"
)
_KEY, _CLASS = re.compile(r'Parser key "([^"]*)":\s*(.*)'), re.compile(r"Problem with given class_path '([^']*)':")


class Leaf(NamedTuple):
    """One error of a message.

    Args:
        path: Keys from the top without ``init_args``, such as ``("model", "guidance", "switch")``.
        owners: Class paths on the way.
        text: Message of jsonargparse.
        value: Value that was given, if the message has it.
    """

    path: tuple[str, ...]
    owners: tuple[str, ...]
    text: str
    value: str | None = None


def parse_leaves(message: str) -> list[Leaf]:
    """Parse the tree of a message of jsonargparse.

    Args:
        message: The whole message.

    Returns:
        Its leaves, in order.
    """
    stack: list[tuple[int, str, str]] = []
    found: list[Leaf] = []
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
"""Pattern → sentence, by priority: of several leaves, the one that matches the earliest rule is reported."""


def _rule(pattern: str) -> Any:
    def add(function: Any) -> Any:
        _RULES.append((pattern, function))
        return function

    return add


@_rule(r"module '?(?P<module>[\w.]+)'? has no attribute '?(?P<name>\w+)")
def _no_class(leaf: Leaf, module: str, name: str) -> str:
    known = component_classes(slot_base_class(leaf.path, leaf.owners[:-1]), module)
    return f"there is no class {name} in {module}{suggest(f'{module}.{name}', known)}"


@_rule(r"No module named '(?P<module>[\w.]+)'")
def _no_module(leaf: Leaf, module: str) -> str:
    wanted = leaf.owners[-1] if leaf.owners else module
    if not (wanted == module or wanted.startswith(module + ".")):
        return f"{wanted} needs the module {module}, which is not installed; `pip install {module.partition('.')[0]}`"
    return f"there is no module {module}{suggest(wanted, component_classes(slot_base_class(leaf.path, leaf.owners[:-1])))}"


@_rule(r"(Requirement|Module not found).*HINT: Try running `(?P<command>pip install [^`]*)`")
def _no_package(leaf: Leaf, command: str) -> str:
    wanted = leaf.owners[-1].rpartition(".")[2] if leaf.owners else "it"
    return f"{wanted} needs a package that is not installed or is too old: {command}"


@_rule(r"(Expected a dot import path string|Unexpected import path format): (?P<name>.*)")
def _no_path(leaf: Leaf, name: str) -> str:
    name = name.partition(" / ")[0]  # of a slot that takes something else as well
    if "/" in name or Path(name).suffix in (".yaml", ".yml", ".json"):
        return f"there is no file {name}"
    return f"there is no class {name}{suggest(name, component_classes(slot_base_class(leaf.path, leaf.owners)))}"


@_rule(r"Import path (?P<name>[\w.]+ )?does not correspond to a subclass of (?P<base>\w+)")
def _other_base(leaf: Leaf, name: str | None, base: str) -> str:
    such = [path.rpartition(".")[2] for path in component_classes(slot_base_class(leaf.path, leaf.owners))]
    return f"{(name or leaf.value or 'it').strip()} is no {base}" + (f"; such are {', '.join(such[:6])}" if such else "")


@_rule(r"(Option|Key) '(?P<name>[\w.-]+)' is not (accepted|expected)")
def _no_argument(leaf: Leaf, name: str) -> str:
    owner, first = (leaf.owners[-1] if leaf.owners else ""), name.removeprefix("init_args.").split(".")[0]
    return f"{owner.rpartition('.')[2] or 'it'} takes no {first}{suggest(first, constructor_arguments(owner), 'it takes')}"


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
    if (wanted := re.search(r"dot import path string: (\S+)", f"{kind}{value or ''}")) is not None:
        return _no_path(leaf, wanted[1])
    value = value or leaf.value or "what is given"
    literals = [name.strip(" '") for names in re.findall(r"Literal\[(.*?)\]", kind) for name in names.split(",")]
    kinds = [_article(name) for name in re.sub(r"typing\.Literal\[.*?\]", "", kind).split(" / ") if name.strip()]
    if literals and not kinds:
        return f"{_short(value)} is not one of {', '.join(dict.fromkeys(literals))}{suggest(value, literals, None)}"
    return f"{_short(value)} is not {' or '.join([*dict.fromkeys(kinds), *literals])}"


def _article(kind: str) -> str:
    name = re.sub(r"<class '(?:.*\.)?([^'.]*)'>", r"\1", kind)
    word = {"int": "whole number", "float": "number", "dict": "mapping"}.get(name, name)
    return {"str": "text", "bool": "true or false"}.get(name, f"a {word}")


def _short(value: str) -> str:
    return value if len(value) < 80 else f"{value[:77]}…"


def find_problem(found: Sequence[Leaf]) -> tuple[tuple[str, ...], str] | None:
    """Choose the most informative leaf.

    Args:
        found: Leaves of a message.

    Returns:
        Keys of the place, and a clause that says what is wrong; None if there are no leaves.
    """
    found = _merge_types(found)
    failed = [leaf for leaf in found if leaf.owners and not any(re.match(pattern, leaf.text) for pattern, _ in _RULES)]
    for pattern, say in _RULES:
        for leaf in found:
            fits = re.match(pattern, leaf.text)
            if fits and say is _wrong_type and failed and len(failed[0].owners) > len(leaf.owners):
                break  # the class that was named has failed: that its place takes other types as well is no news
            if fits:
                at = leaf.path
                if say is _no_argument:
                    at += (fits["name"].removeprefix("init_args."),)
                return at, say(leaf, **fits.groupdict())
    return next(((leaf.path, leaf.text) for leaf in [*failed, *found]), None)


def _merge_types(found: Sequence[Leaf]) -> list[Leaf]:
    """Merge the leaves of one place, one for each type that it could hold, into one."""
    whole: dict[Any, Leaf] = {}
    for leaf in found:
        fits = re.match(r"Expected an? (.+?)(\. Got value: .*)?$", leaf.text)
        key = leaf.path if fits else (leaf.path, leaf.text)
        if fits and key in whole:
            leaf = whole[key]._replace(text=re.sub(r"(\. Got value: .*)?$", f" / {fits[1]}\\1", whole[key].text, count=1))
        whole[key] = leaf
    return list(whole.values())


# -- the whole -------------------------------------------------------------------------------------------------------------


def explain_message(message: str, arguments: Sequence[str] = (), options: Sequence[str] = (), subcommands: Sequence[str] = ()) -> str:
    """Reduce a message of jsonargparse, argparse, YAML or OmegaConf to one sentence.

    Args:
        message: The message.
        arguments: The command line, by which the sentence names an option or a line of a file.
        options: Options of the parser, such as ``--trainer.max_steps``.
        subcommands: Subcommands of the parser.

    Returns:
        The sentence.
    """
    text = _sentence(message, arguments, options, subcommands)
    return text[:-1] if text.endswith("?.") else text


def _sentence(message: str, arguments: Sequence[str], options: Sequence[str], subcommands: Sequence[str]) -> str:
    if re.match(r"Problems parsing config|Unexpected config|Unable to load config|while |mapping values", message):
        broken_file = find_broken_config(arguments)
        if broken_file:
            return broken_file
    if (unknown := re.search(r"unrecognized arguments: (.*)", message, re.DOTALL)) is not None:
        return _unknown(unknown[1].split(), options, arguments)
    if (unknown := re.search(r"does not accept option '([^']+)'", message)) is not None:
        return f"{locate_option(tuple(unknown[1].split('.')), arguments)}: there is no such key{_near_key(unknown[1], options)}."
    if (lacks := re.search(r"argument (?:-\w/)?(--[\w.-]+)(/\S+)?: expected (at least )?one argument", message)) is not None:
        given = next((a for a in reversed(arguments) if a.startswith(lacks[1])), lacks[1])
        return f"{given} needs a value."
    if (choice := re.search(r"argument ([\w./-]+): invalid choice: '?([^' ]*)'? \(choose from (.*)\)", message)) is not None:
        names = [name.strip(" '") for name in choice[3].split(",")]
        return f"{choice[1]}: {choice[2]} is not one of {', '.join(names)}{suggest(choice[2], names, None)}."
    if (which := re.search(r"to be one of \{(.+?)\}, but it was not provided", message)) is not None:
        names = [*subcommands] or [name.strip() for name in which[1].split(",")]  # jsonargparse lists five
        return f"say which: {', '.join(names)}."
    if (key := re.search(r"Interpolation key '([^']*)' not found.*?full_key: (\S+)", message, re.DOTALL)) is not None:
        path = tuple(name for name in key[2].split(".") if name not in ("fit", "validate", "test"))
        return f"{locate_option(path, arguments)}: the ${{…}} there names no key {key[1].lstrip('.')}."
    if (broken := re.search(r"while resolving interpolation: (.*)", message)) is not None:
        return f"a ${{…}} of the configuration cannot be filled in: {broken[1].rstrip('.')}."
    if (loop := re.search(r"Config file loop detected: (\S+)", message)) is not None:
        found = parse_leaves(message)
        inner = check_component_file(loop[1], slot_base_class(found[0].path, found[0].owners), found[0].path) if found else None
        if inner is not None:
            return f"{loop[1]}: {(find_problem(parse_leaves(inner)) or ((), inner))[1]}."
    problem = find_problem(parse_leaves(message))
    if problem is None or not problem[1]:
        return " ".join(message.split())[:300]
    where = locate_option(problem[0], arguments) if problem[0] else ""
    text = problem[1].rstrip(".")
    return f"{where}: {text}." if where else f"{text}."


def _unknown(given: Sequence[str], options: Sequence[str], arguments: Sequence[str]) -> str:
    wrong = next((word for word in given if word.startswith("-")), None)
    if wrong is None:
        return f"it does not take {' '.join(given)}; options begin with --."
    name = wrong.partition("=")[0]
    written = [argument.partition("=")[0] for argument in arguments]
    within = next((w for w in written if w.startswith("--") and w.endswith(f".{name.lstrip('-')}")), None)
    if within is not None and name not in written:  # of a class's own parser, which names no more than the class's arguments
        return f"there is no option {within}{_near_argument(within, arguments)}."
    return f"there is no option {name}{suggest(name, [o for o in options if o.startswith('--')], None)}."


def _near_argument(option: str, arguments: Sequence[str]) -> str:
    """What a misspelt argument of a class, or of a group of its arguments, may mean."""
    slot, *keys = [key for key in option.lstrip("-").split(".") if key != "init_args"]
    owner = class_path_of(slot, arguments)
    for depth, key in enumerate(keys):
        known = nested_arguments(owner, keys[:depth]) if owner else []
        if known and key not in known:
            return suggest(key, known, f"{'.'.join((slot, *keys[:depth]))} takes")
    return ""


def _near_key(key: str, options: Sequence[str]) -> str:
    known = [option.removeprefix("--") for option in options if option.startswith("--")]
    nearest = suggest(key, known, None, 0.8)
    if nearest:
        return nearest
    tops = sorted({name.split(".")[0] for name in known})
    return suggest(key.split(".")[0], tops, "the keys are")


def _options(parser: Any, arguments: Sequence[str]) -> list[str]:
    """Options of a parser, and of those of its subcommands that the command line names."""
    found = list(getattr(parser, "_option_string_actions", ()))
    for action in getattr(parser, "_actions", ()):
        inner = action.choices if isinstance(getattr(action, "choices", None), dict) else {}
        for name in set(arguments) & set(inner):
            found += _options(inner[name], arguments)
    return found


def _subcommands(parser: Any) -> list[str]:
    """The names of a parser's subcommands; none where it has none."""
    found = (getattr(action, "_name_parser_map", {}) for action in getattr(parser, "_actions", ()))
    return [name for names in found for name in names]


@contextmanager
def explain_option_errors(arguments: Any = (), parser: Any = None) -> Iterator[None]:
    """Turn what a parser raises in the block into `InputError` with one sentence.

    Args:
        arguments: The command line.
        parser: The parser, for the names of its options.

    Raises:
        InputError: If parsing fails.
    """
    try:
        yield
    except TBDError:
        raise
    except ArgumentError as error:
        given = list(arguments) if isinstance(arguments, (list, tuple)) else []
        raise InputError(explain_message(str(error), given, _options(parser, given), _subcommands(parser))) from error
    except UnicodeDecodeError as error:
        given = list(arguments) if isinstance(arguments, (list, tuple)) else []
        raise InputError(find_broken_config(given) or "a configuration holds what is no text in UTF-8.") from error
    except Exception as error:
        if type(error).__module__.split(".")[0] not in ("omegaconf", "yaml", "jsonargparse"):
            raise
        raise InputError(explain_message(str(error), list(arguments or ()))) from error


@contextmanager
def explain_build_errors() -> Iterator[None]:
    """Turn what a component's constructor raises about its arguments into `InputError`.

    Raises:
        InputError: If the configuration cannot be built.
    """
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


@contextmanager
def explain_trainer_errors() -> Iterator[None]:
    """Turn what Lightning raises about its settings, once it runs with them, into `InputError`.

    Raises:
        InputError: If code of Lightning's own refuses to go on.
    """
    try:
        yield
    except TBDError:
        raise
    except Exception as error:
        if not (isinstance(error, (ValueError, RuntimeError)) or type(error).__name__ == "MisconfigurationException"):
            raise
        frames = traceback.extract_tb(error.__traceback__)
        if not frames or "lightning" not in Path(frames[-1].filename).parts:
            raise
        raise InputError(f"the trainer cannot go on with these options: {' '.join(str(error).split())[:400].rstrip('.')}.") from error


def _unbuilt(message: str) -> str:
    tree = "Does not validate against" in message or "Problem with given class_path" in message
    problem = find_problem(parse_leaves(message)) if tree else None
    text = " ".join((problem[1] if problem else message).split())[:300]
    return f"the configuration cannot be built: {text.rstrip('.')}."
