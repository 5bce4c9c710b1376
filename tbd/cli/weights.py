"""`tbd weights list | fetch | verify`."""

from tbd.cli.command import Command
from tbd.errors import InputError


def _weights_options(parser) -> None:
    parser.add_argument("action", choices=["list", "fetch", "verify"], help="show the registry, put files into their place, or check them")
    parser.add_argument("names", nargs="*", help="of weights in the registry; `list` and `verify` take all by default")
    parser.add_argument("--from", metavar="FILE", help="fetch: take this copy of the file, for machines without internet")
    parser.add_argument("--offline", action="store_true", help="never use the network")
    parser.add_argument("--json", action="store_true", help="list, verify: print JSON")


def _weights(options) -> None:
    from tbd import weights
    from tbd.cli import weights_table

    names = options.names or list(weights.registry())
    entries = [weights.find_weights(name) for name in names]
    if options.action == "fetch":
        if not options.names:
            raise InputError("name the weights to fetch; `tbd weights list` shows them.")
        if options["from"] is not None and len(names) > 1:
            raise InputError("--from gives one file; name one set of weights.")
        weights_table.fetch(entries, options["from"], options.offline)
    else:
        weights_table.show(entries, options.action, options.json)


COMMANDS = {"weights": Command("third-party weights: list, fetch and verify them", _weights_options, _weights)}
