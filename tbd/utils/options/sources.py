"""Locate where an option was given: on the command line, or in which line of which file."""

from argparse import ArgumentError
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml


def config_files(arguments: Sequence[str]) -> Iterator[Path]:
    """Yield the files of ``--config``, later ones first, since they take precedence.

    Args:
        arguments: The command line.

    Yields:
        Paths as given.
    """
    given = list(arguments)
    for i in reversed(range(len(given))):
        name, equals, value = given[i].partition("=")
        if name in ("--config", "-c") and (equals or i + 1 < len(given)):
            yield Path(value if equals else given[i + 1])


def class_path_of(option: str, arguments: Sequence[str]) -> str | None:
    """Find the class that was chosen for a component.

    Args:
        option: The component's option without dashes, such as ``model``.
        arguments: The command line.

    Returns:
        Its class path; None where none is named in full.
    """
    for i in reversed(range(len(arguments))):
        name, equals, value = arguments[i].partition("=")
        if name in (f"--{option}", f"--{option}.class_path"):
            value = value if equals else "".join(arguments[i + 1 : i + 2])
            return value if "." in value else None
    for file in config_files(arguments):
        try:
            chosen = yaml.safe_load(file.read_text(encoding="utf-8"))[option]["class_path"]
        except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
            continue
        return str(chosen)
    return None


def locate_option(path: Sequence[str], arguments: Sequence[str]) -> str:
    """Say where an option was given.

    Args:
        path: Keys from the top, with or without ``init_args``.
        arguments: The command line.

    Returns:
        ``--model.init_args.windows.frames`` as it was given, or ``run.yaml, line 3, windows.frames``; else its keys.
    """
    wanted = _plain(path)
    for argument in reversed(arguments):
        name = argument.partition("=")[0].rstrip("+")
        if name.startswith("--") and _plain(name[2:].split(".")) == wanted:
            return name
    for file in config_files(arguments):
        line = _line(file, wanted)
        if line is not None:
            return f"{file}, line {line}, {'.'.join(path)}"
    return "--config" if tuple(path) == ("config",) else ".".join(path)


def _plain(path: Sequence[str]) -> tuple[str, ...]:
    return tuple(name.replace("-", "_") for name in path if name not in ("init_args", "class_path", "fit", "validate", "test"))


def _line(file: Path, wanted: tuple[str, ...]) -> int | None:
    """Line number of a key in a YAML file."""
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), yaml.SafeLoader)
    except (OSError, ValueError, yaml.YAMLError):
        return None
    return _find(node, wanted)


def _find(node: Any, wanted: tuple[str, ...]) -> int | None:
    for item in node.value if isinstance(node, yaml.SequenceNode) else ():
        if (line := _find(item, wanted)) is not None:
            return line
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        rest = wanted[1:] if wanted and key.value == wanted[0] else wanted if key.value == "init_args" else None
        if rest == ():
            return key.start_mark.line + 1
        if rest is not None and (line := _find(value, rest)) is not None:
            return line
    return None


def find_broken_config(arguments: Sequence[str]) -> str | None:
    """Find the first configuration file that is no YAML mapping.

    Args:
        arguments: The command line.

    Returns:
        A sentence that says what is wrong with it; None if all are mappings.
    """
    for file in reversed([*config_files(arguments)]):
        try:
            content = yaml.safe_load(file.read_text(encoding="utf-8"))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            place = f", line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
            return f"{file}{place}: not YAML, {error.problem}."
        except UnicodeDecodeError:
            return f"{file} is no text in UTF-8; give a YAML file, saved as UTF-8."
        except (OSError, ValueError, yaml.YAMLError) as error:
            return f"{file} cannot be read as YAML: {' '.join(str(error).split())}."
        if not isinstance(content, dict):
            return f"{file} holds no options by name (such as `trainer: {{max_steps: 100}}`)."
    return None


def check_component_file(file: str, base: type | None, path: Sequence[str]) -> str | None:
    """Find out why the component of a YAML file cannot be built, which jsonargparse misreports as a loop.

    Args:
        file: YAML file with class_path and init_args.
        base: Class that the component must be a subclass of.
        path: Keys of the option that takes it.

    Returns:
        Message of jsonargparse; None if nothing is wrong with the component.
    """
    from jsonargparse import ArgumentParser

    try:
        content = yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        return " ".join(str(error).split())
    if base is None or not isinstance(content, dict):
        return "it is no mapping with class_path and init_args"
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(base, path[-1])
    try:
        parser.parse_object({path[-1]: content})
    except ArgumentError as error:
        return str(error)
    return None
