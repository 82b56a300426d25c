"""Kernels that only kernels call are compiled with them, and Python cannot call them."""

import ast
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numba import njit

import analysis
from analysis.conventions.kernels import inner

PACKAGE, TESTS = Path(analysis.__file__).parent, Path(__file__).parents[1]


@inner
def shifted(values, by):
    if by < 0:
        raise ValueError("no step back")
    return values + by


@inner
def twice(values, by):
    return shifted(shifted(values, by), by)


@njit
def called(values, by):
    return twice(values, by)


@pytest.mark.parametrize("by", [2, 2.5])
def test_a_kernel_does_what_its_inner_kernels_do(by):
    np.testing.assert_array_equal(called(np.arange(3.0), by), np.arange(3.0) + 2 * by)
    assert called(1, by) == 1 + 2 * by


def test_what_an_inner_kernel_raises_reaches_the_caller():
    with pytest.raises(ValueError, match="no step back"):
        called(1.0, -1.0)


def test_an_inner_kernel_is_not_called_from_python():
    called(1.0, 1.0)
    with pytest.raises(TypeError, match="shifted is inner to other kernels"):
        shifted(1.0, 1.0)


@cache
def uses():
    """Give the kernels by decorator, and the names that Python uses in the package or that its tests import."""
    kernels, outside = {"inner": set(), "njit": set()}, set()
    for path in sorted(PACKAGE.rglob("*.py")):
        file = ast.parse(path.read_text())
        look_at(file, imported(file), kernels, outside)
    for path in sorted(TESTS.rglob("*.py")):
        outside |= imported(ast.parse(path.read_text()))
    return kernels, outside


def imported(file):
    """Give the names that a file has from the package."""
    froms = [
        one for one in ast.walk(file) if isinstance(one, ast.ImportFrom) and str(one.module).startswith("analysis")
    ]
    return {each.name for one in froms for each in one.names}


def look_at(node, known, kernels, outside):
    """Sort kernels by decorator; what follows a name that is known to be the package's may be a kernel."""
    for one in ast.iter_child_nodes(node):
        made = "".join(map(ast.unparse, one.decorator_list)) if isinstance(one, ast.FunctionDef) else ""
        if by := [name for name in kernels if made.startswith(name)]:
            if "inline" not in made:
                kernels[by[0]].add(one.name)
            continue
        if isinstance(one, ast.Name):
            outside.add(one.id)
        if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id in known:
            outside.add(one.attr)
        look_at(one, known, kernels, outside)


def test_only_kernels_call_what_is_inner():
    kernels, outside = uses()
    assert len(kernels["inner"]) > 50
    assert not kernels["inner"] & outside


def test_what_only_kernels_call_is_inner():
    kernels, outside = uses()
    assert not kernels["njit"] - outside
