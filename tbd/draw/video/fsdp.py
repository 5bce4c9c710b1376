"""Sharding of what trains, its gradients and its optimizer's state (FSDP2; ZeRO's second stage, arXiv 1910.02054)."""

import warnings
from collections.abc import Iterable

import torch
from torch import nn
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method


def apply_fsdp2(module: nn.Module, parts: Iterable[nn.Module], mesh: DeviceMesh, entrances: Iterable[str] = ()) -> None:
    """Shard every weight that trains over processes.

    A part's weights are gathered when it is first called in a step and stay until its gradients are summed, so a layer's output may
    also be read later, as the reference branch's are. What does not train is whole in every process.

    Args:
        module: The module; it is moved to the process's device and takes the first process's weights.
        parts: Parts of `module`, each before what holds it; together they hold all that trains.
        mesh: All processes, as (copies, shards): one row of it holds a whole model together.
        entrances: Methods by which parts that have them are called, beside `forward`.
    """
    device = torch.device(mesh.device_type, torch.cuda.current_device()) if mesh.device_type == "cuda" else torch.device("cpu")
    module.to(device)
    for tensor in module.state_dict().values():
        torch.distributed.broadcast(tensor, src=0)
    # of outputs changed in place, which nothing here does
    warnings.filterwarnings("ignore", "FSDP2-wrapped module .* returned a view tensor")
    for part in parts:
        frozen = {p for p in part.parameters() if not p.requires_grad}
        if len(frozen) < sum(1 for _ in part.parameters()):
            fully_shard(part, mesh=mesh, reshard_after_forward=False, ignored_params=frozen)
            for name in entrances:
                if hasattr(part, name):
                    register_fsdp_forward_method(part, name)
