"""`tbd think`."""

from tbd.cli.command import Command
from tbd.cli.component_options import add_slot, chosen, class_of, made
from tbd.errors import InputError


def _think_options(parser) -> None:
    parser.add_argument("text", nargs="?", help="a sentence about a feeling")
    parser.add_argument("--from", metavar="PLAN", help="read this plan (.json) instead of a sentence")
    parser.add_argument("--duration", type=float, help="seconds that the plan should span")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="WHAT=VALUE",
        help="set a muscle (AU12=0.4, AU12L=0.4 for the left side, 0 removes it), a region's description "
        "(lower=lips pressed together) or the intensity (intensity=0.5); may be repeated",
    )
    parser.add_argument("--check", action="store_true", help="print only what a face could not do, or not while it speaks")
    parser.add_argument("--repair", action="store_true", help="mend what --check finds, and say what was changed")
    parser.add_argument("--chart", metavar="SVG", help="also draw the muscles on a face (.svg)")
    parser.add_argument("--json", action="store_true", help="print the plan as JSON, for editing and for `generate --plan`")
    parser.add_argument("--schema", action="store_true", help="print the JSON schema of plans, and nothing else")
    _planner_options(parser)


def _planner_options(parser) -> None:
    add_slot(parser, "planner", "tables and rules, a language model here, or one on a server", "knowledge")
    parser.add_argument("--model", help="language_model: a folder or hub repository; server: the model's name there")
    parser.add_argument("--url", help="server: its URL, such as http://localhost:8000/v1; a key is read from TBD_API_KEY or OPENAI_API_KEY")
    parser.add_argument(
        "--prompt", metavar="FILE", help="language_model, server: what the model is told, instead of assets/think/prompt.md"
    )
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="language_model, server: how long a plan may take (default: 300)")


def _planner(options):
    import inspect

    component = chosen(options.planner, "planner", "knowledge")
    named = options.planner if isinstance(options.planner, str) else component.class_path
    given = {name: options[name] for name in ("model", "url", "prompt", "timeout") if options[name] is not None}
    taken = inspect.signature(class_of(component, "planner")).parameters
    for name in given:
        if name not in taken:
            raise InputError(f"--{name} is nothing that --planner {named} takes; leave it out or choose another planner.")
    component.init_args.update(given)
    for name, parameter in taken.items():
        if parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD and name not in component.init_args:
            option = f"--{name}" if name in ("model", "url", "prompt", "timeout") else f"--planner.{name}"
            raise InputError(f"--planner {named} needs {option}; `tbd think --help` says what it is.")
    return made(component, "planner")


def _think(options) -> None:
    from tbd.cli.think_command import print_schema, think
    from tbd.utils.file_checks import check_files

    if options.schema:
        print_schema()
        return
    if (options.text is None) == (options["from"] is None):
        raise InputError("give a sentence about a feeling, or a plan with --from; one of the two.")
    check_files({"--from": options["from"], "--prompt": options.prompt}, {"--chart": options.chart}, {"--chart": (".svg",)})
    think(
        options.text,
        _planner(options),
        duration=options.duration,
        source=options["from"],
        assignments=options.set,
        **{name: options[name] for name in ("repair", "check", "chart")},
        as_json=options.json,
    )


COMMANDS = {"think": Command("a sentence becomes a chain of thought and a muscle plan", _think_options, _think)}
