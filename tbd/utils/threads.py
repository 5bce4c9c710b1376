"""How many threads a computation on CPU cores uses, and how they wait for each other."""

import os

chosen = False
"""Whether the number is this module's choice, not the user's."""


def usable_cores() -> int:
    """Cores that this process may use: its affinity, and the quota of its container (cgroup)."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, _quota() or cores))


def _quota() -> int | None:
    """Whole cores of a container's CPU quota, cgroup v2 or v1; None where there is none."""
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
    """Choose before torch is imported; what the user has set stays.

    Threads of OpenMP that wait for each other spin, and on a machine with other work they spin while the one they wait for has no core:
    with two threads on two cores at a load of 12 a small training took 20 times as long as with one. So they sleep instead, and where
    the machine has half as much again to do as it has cores, there is one. Otherwise their number does not depend on the load, since
    sums are taken in another order by other numbers of threads.
    """
    global chosen
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if "OMP_NUM_THREADS" not in os.environ:
        chosen = True
        os.environ["OMP_NUM_THREADS"] = str(_threads(int(os.environ.get("LOCAL_WORLD_SIZE", "1"))))


def _threads(processes: int) -> int:
    return 1 if _busy() else max(1, usable_cores() // processes)


def _busy() -> bool:
    return hasattr(os, "getloadavg") and os.getloadavg()[0] > 1.5 * (os.cpu_count() or 1)


def spread_over(processes: int) -> dict[str, str]:
    """Environment of one of several processes of this machine: they share the cores, where the user has not said otherwise."""
    threads = {"OMP_NUM_THREADS": str(_threads(processes))} if chosen else {}
    return {"LOCAL_WORLD_SIZE": str(processes), **threads}


def thread_note() -> str:
    """How many processes and threads there are and why, for the user."""
    processes, threads = int(os.environ.get("WORLD_SIZE", "1")), os.environ.get("OMP_NUM_THREADS", "all")
    why = f" since the machine is busy (load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores)" if chosen and _busy() else ""
    many = f"{processes} processes, " if processes > 1 else ""
    return f"{many}{threads} CPU thread{'' if threads == '1' else 's'} a process{why}; the variable OMP_NUM_THREADS sets another number."
