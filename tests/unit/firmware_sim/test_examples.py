"""The examples in the simulator's docstrings are true."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module

import pytest

import firmware_sim

MODULES = sorted(one.name for one in pkgutil.iter_modules(firmware_sim.__path__) if one.name != "__main__")


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name):
    assert doctest.testmod(import_module(f"firmware_sim.{name}")).failed == 0


def test_there_are_examples():
    modules = [import_module(f"firmware_sim.{name}") for name in MODULES]
    assert sum(bool(test.examples) for module in modules for test in doctest.DocTestFinder().find(module)) > 5
