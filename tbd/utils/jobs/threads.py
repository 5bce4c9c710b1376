"""Choose the number of CPU threads, and how they wait for each other."""

import os

chosen = False
"""Whether this module chose the number, not the user."""


def usable_cores() -> int:
    """Return the number of cores that this process may use, by its affinity and its container's quota (cgroup)."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, _quota() or cores))


def _quota() -> int | None:
    """Whole cores of a container's CPU quota, cgroup v2 or v1; None if there is none."""
    try:
        with open("/sys/fs/cgroup/cpu.max", encoding="ascii") as file:
            quota, period = file.read().split()
    except (OSError, ValueError):
        try:
            quota, period = (_read(f"/sys/fs/cgroup/cpu/cpu.cfs_{name}_us") for name in ("quota", "period"))
        except (OSError, ValueError):
            return None
    return None if quota in ("max", "-1") else max(1, int(quota) // int(period))


def _read(path: str) -> str:
    with open(path, encoding="ascii") as file:
        return file.read().strip()


def set_threads() -> None:
    """Set OpenMP's environment variables, before torch is imported; what the user has set stays.

    OpenMP's threads spin while they wait for each other, and on a busy machine the one they wait for has no core: with two threads on
    two cores at a load of 12, a small training took 20 times as long as with one. So they sleep instead, and if the load exceeds 1.5
    times the number of cores, there is one thread. Otherwise the number does not depend on the load, since the order of sums depends
    on the number of threads.
    """
    global chosen
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if "OMP_NUM_THREADS" not in os.environ:
        chosen = True
        os.environ["OMP_NUM_THREADS"] = str(_threads(int(os.environ.get("LOCAL_WORLD_SIZE", "1"))))


def share_cores(processes: int = 2) -> None:
    """Leave cores to others of a program's processes, before numpy or torch is imported; what the user has set stays.

    On two cores, ten seconds of video whose frames other processes draw take 10.0 s with one thread for the motion and 11.4 s with two.

    Args:
        processes: How many such shares there are. The number of threads follows from it and the machine, not from its load, since the order
            of sums, and so the last bits of a motion, depend on it.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, usable_cores() // processes)))


def _threads(processes: int) -> int:
    return 1 if _busy() else max(1, usable_cores() // processes)


def _busy() -> bool:
    return hasattr(os, "getloadavg") and os.getloadavg()[0] > 1.5 * (os.cpu_count() or 1)


def worker_environment(processes: int) -> dict[str, str]:
    """Build the environment of one of several processes, which share the cores unless the user chose a number of threads.

    Args:
        processes: Number of processes on this machine.

    Returns:
        Environment variables to add.
    """
    threads = {"OMP_NUM_THREADS": str(_threads(processes))} if chosen else {}
    return {"LOCAL_WORLD_SIZE": str(processes), **threads}


def describe_threads() -> str:
    """Say how many processes and threads there are, and why."""
    processes, threads = int(os.environ.get("WORLD_SIZE", "1")), os.environ.get("OMP_NUM_THREADS", "all")
    why = f" since the machine is busy (load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores)" if chosen and _busy() else ""
    many = f"{processes} processes, " if processes > 1 else ""
    return f"{many}{threads} CPU thread{'' if threads == '1' else 's'} a process{why}; the variable OMP_NUM_THREADS sets another number."
