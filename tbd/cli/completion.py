"""`tbd completion`: a script for the shell that completes commands, options and their choices."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from tbd.cli.options.command import Command
from tbd.cli.train import SUMMARIES

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace

SHELLS = ("bash", "zsh", "fish")
_HOW = {
    "bash": "# tbd completion bash >> ~/.bash_completion",
    "zsh": "# tbd completion zsh >> ~/.zshrc",
    "fish": "# tbd completion fish > ~/.config/fish/completions/tbd.fish",
}


class Option(NamedTuple):
    """One option of a command.

    Args:
        flag: ``--size``.
        choices: Its values, where there are few.
        about: One line of help.
    """

    flag: str
    choices: tuple[str, ...] = ()
    about: str = ""


def _options(parser: "ArgumentParser") -> None:
    parser.add_argument("shell", choices=SHELLS, help="what the script is for; its first line says where it goes")


def completion_command(commands: Mapping[str, Command]) -> Command:
    """Make the command.

    Args:
        commands: All commands, this one among them; read when it runs.

    Returns:
        The command.
    """

    def run(options: "Namespace") -> None:
        print(completion_script(options.shell, commands))

    return Command("a script that completes commands and options in bash, zsh or fish", _options, run)


def completion_script(shell: str, commands: Mapping[str, Command]) -> str:
    """Write the script.

    Args:
        shell: One of `SHELLS`.
        commands: Name → command.

    Returns:
        The script; it asks no Python when a key is pressed.
    """
    known = {name: (command.summary, command_options(command)) for name, command in commands.items()}
    known |= {name: (summary, [Option("--config"), Option("--ckpt_path"), Option("--help")]) for name, summary in SUMMARIES.items()}
    body = _fish(known) if shell == "fish" else _bash(known)
    start = "autoload -U +X bashcompinit && bashcompinit\n" if shell == "zsh" else ""
    return f"{_HOW[shell]}\n{start}{body}"


def command_options(command: Command) -> list[Option]:
    """List what a command takes.

    Args:
        command: The command.

    Returns:
        Its options, and the choices of its positional arguments under the flag "".
    """
    from argparse import SUPPRESS

    from tbd.cli.options.parsing import command_parser

    found = []
    for action in command_parser("", command)._actions:
        about = "" if action.help in (None, SUPPRESS) else " ".join(str(action.help).split())
        choices = tuple(map(str, action.choices or ())) if isinstance(action.choices, list | tuple) else ()
        flags = [flag for flag in action.option_strings if flag.startswith("--")]
        found += [Option(flag, choices, about) for flag in flags]
        if not action.option_strings and choices:
            found.append(Option("", choices, about))
    return found


def _bash(commands: Mapping[str, tuple[str, list[Option]]]) -> str:
    cases = []
    for name, (_, options) in commands.items():
        flags = " ".join(option.flag for option in options if option.flag)
        plain = " ".join(word for option in options if not option.flag for word in option.choices)
        cases.append(f"  {name}) flags='{flags}' plain='{plain}'")
        values = [f"    {o.flag}) plain='{' '.join(o.choices)}' only=1 ;;" for o in options if o.flag and o.choices]
        cases += ["    case $previous in", *values, "    esac ;;"] if values else ["    ;;"]
    return "\n".join(
        [
            "_tbd() {",
            "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} flags='' plain='' only=''",
            '  if [ "$COMP_CWORD" = 1 ]; then',
            f"    COMPREPLY=($(compgen -W '{' '.join(commands)} --help --version' -- \"$current\")); return",
            "  fi",
            "  case ${COMP_WORDS[1]} in",
            *cases,
            "  esac",
            "  case $only$current in",
            '  -*) COMPREPLY=($(compgen -W "$flags" -- "$current")) ;;',
            '  1*) COMPREPLY=($(compgen -W "$plain" -- "$current")) ;;',
            '  *) COMPREPLY=($(compgen -W "$plain" -- "$current") $(compgen -f -- "$current")) ;;',
            "  esac",
            "}",
            "complete -o filenames -F _tbd tbd",
        ]
    )


def _fish(commands: Mapping[str, tuple[str, list[Option]]]) -> str:
    lines = []
    for name, (summary, options) in commands.items():
        lines.append(f"complete -c tbd -n __fish_use_subcommand -f -a {name} -d {_quoted(summary)}")
        for option in options:
            words = f" -x -a {_quoted(' '.join(option.choices))}" if option.choices else ""
            flag = f" -l {option.flag[2:]}" if option.flag else ""
            about = f" -d {_quoted(option.about)}" if option.about else ""
            lines.append(f"complete -c tbd -n '__fish_seen_subcommand_from {name}'{flag}{words}{about}")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
