"""Objects are built from descriptions, which stay what they were."""

import json
from copy import deepcopy

from lightning import LightningDataModule

from tbd.data.datamodules.mixture import MixtureDataModule
from tbd.utils.class_path import Component, build


def test_what_is_built_from_stays_as_it_was():
    """A study builds its data once to pack them, and writes the same description for every process that trains."""
    module = {"class_path": "tbd.data.datamodules.procedural.ProceduralDataModule", "init_args": {"root": "corpus"}}
    given = {"modules": [module, deepcopy(module)], "weights": [0.5, 0.5]}
    before = json.dumps(given)
    made = build(Component(class_path="tbd.data.datamodules.mixture.MixtureDataModule", init_args=given), LightningDataModule, "data")
    assert isinstance(made, MixtureDataModule) and len(made.modules) == 2
    assert json.dumps(given) == before
