"""`tbd ablate`: swap components, train each variant, and get the table."""

from pathlib import Path
from typing import TYPE_CHECKING

from tbd.cli.options.command import Command
from tbd.errors import InputError

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace

    from tbd.utils.jobs.launchers import Launcher


def _options(parser: "ArgumentParser") -> None:
    parser.add_argument("study", help="the ablation, a YAML file such as benchmarks/ablations/paper.yaml")
    parser.add_argument("--seeds", type=int, help="how many seeds (default: the file's)")
    parser.add_argument("--baseline", help="compare with this variant (default: the file's); finished runs are only tabulated again")
    parser.add_argument("--output", help="the folder to write, needed but for --dry-run; a second run goes on where the first stopped")
    parser.add_argument("--limit", type=int, help="measure on so many clips, spread evenly (default: the file's number)")
    parser.add_argument("--protocol", help="of an ablation of predictors: measure by this protocol instead of the file's")
    parser.add_argument("--reference", help="of an ablation of predictors: where the protocol's clips are (default: the file's place)")
    parser.add_argument("--dry-run", action="store_true", help="only show the variants, and what differs between them")
    parser.add_argument("--launcher", choices=["local", "slurm"], default="local", help="every GPU of this machine, or a cluster")
    parser.add_argument("--per-device", type=int, default=1, help="local: processes that share a GPU (or the processor)")
    parser.add_argument("--devices", type=int, nargs="+", help="local: numbers of the GPUs to use (default: all)")
    parser.add_argument(
        "--slurm", type=dict, default={}, help="slurm: submitit's parameters, such as '{slurm_partition: gpu, timeout_min: 60}'"
    )
    parser.add_argument("--cluster", default="slurm", help="slurm: submitit's cluster; local and debug try it without one")


def _run(options: "Namespace") -> None:
    from tbd.ablation.study import study_file
    from tbd.utils.file_checks import check_folder
    from tbd.utils.jobs.launchers import LocalLauncher, SlurmLauncher

    if options.output is None and not options.dry_run:
        raise InputError("--output is missing: the folder for trainings, runs and tables.")
    if options.output is not None:
        check_folder("--output", options.output, {})
    file = study_file(options.study)
    from tbd.ablation.pixel_study import is_pixel_study, load_pixel_study, run_pixel_study

    if is_pixel_study(file):
        study, output = load_pixel_study(file), Path(options.output or ".")
        run_pixel_study(study, output, options.protocol, options.reference, options.limit, options.dry_run)
        return
    for name in ("protocol", "reference"):
        if options[name] is not None:
            raise InputError(f"--{name} belongs to ablations of predictors; {file} trains variants, and names its own.")
    from tbd.ablation.ablate import ablate

    launcher: Launcher
    if options.launcher == "slurm" and not options.dry_run:
        launcher = SlurmLauncher(options.slurm, options.cluster)
    else:
        launcher = LocalLauncher(options.per_device, options.devices)
    ablate(options.study, options.output or ".", launcher, options.seeds, options.dry_run, baseline=options.baseline, limit=options.limit)


COMMAND = Command("swap components, train each variant, and get the table", _options, _run)
