"""Matrices in a fixed order are those of LAPACK, and another processor's BLAS does not change a member's bits."""

import os
import subprocess
import sys

import numpy as np
import pytest

from analysis import reconstruct
from analysis.reconstruction.algebra import exp, log, positive_part, product, root_and_inverse
from analysis.reported import ReportedArm, ReportedComparison

RNG = np.random.default_rng(3)

TWO_REPORTS = """
import hashlib
from analysis import reconstruct
from analysis.reported import ReportedArm, ReportedComparison

reports = [
    ReportedComparison("PFS", [ReportedArm("a", n=60, median=m), ReportedArm("b", n=58, median="5.6")], control="b",
                       hazard_ratio=("0.71", "0.46", "1.10"), assessor=reader, id=reader)
    for reader, m in (("local", "7.4"), ("central", "8.1"))
]
members = reconstruct(reports, 4, rng=1, threads=1)
times = b"".join(members.patients(k).select_dtypes("number").to_numpy(float).tobytes() for k in range(members.members))
print(hashlib.sha256(times).hexdigest())
"""


def test_products_and_factors_are_those_of_lapack():
    a, b = RNG.normal(size=(7, 5)), RNG.normal(size=(5, 9))
    np.testing.assert_allclose(product(a, b), a @ b, rtol=1e-13)
    square = RNG.normal(size=(40, 40))
    matrix = square @ square.T + 0.1 * np.eye(40)
    root, inverse = root_and_inverse(matrix)
    np.testing.assert_allclose(root, np.linalg.cholesky(matrix), rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(inverse, np.linalg.inv(matrix), rtol=1e-7, atol=1e-8)
    with pytest.raises(ValueError, match="not positive definite"):
        root_and_inverse(matrix - 100 * np.eye(40))


def test_the_positive_part_is_that_of_the_eigenvectors():
    square = RNG.normal(size=(6, 8, 8))
    matrices = square + square.transpose(0, 2, 1)
    matrices[0] = np.diag(np.arange(8.0))  # nothing to rotate
    matrices[1] = 0.0
    matrices[2, :, :] = 1.0
    for matrix, kept in zip(matrices, positive_part(matrices), strict=True):
        values, vectors = np.linalg.eigh(matrix)
        np.testing.assert_allclose(kept, (vectors * np.maximum(values, 0.0)) @ vectors.T, atol=1e-12)


def test_logarithms_keep_their_shape():
    assert log(1.0) == 0.0
    assert log(0.0) == -np.inf
    np.testing.assert_allclose(log([[2.0, 3.0]]), np.log([[2.0, 3.0]]), rtol=1e-15)
    np.testing.assert_allclose(exp(np.array([-1.0, 2.0])), np.exp([-1.0, 2.0]), rtol=1e-15)


def test_another_processors_blas_gives_the_same_bits():
    found = set()
    for kernels in ("Nehalem", "Haswell"):
        environment = os.environ | {"OPENBLAS_CORETYPE": kernels}
        command = [sys.executable, "-c", TWO_REPORTS]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=600)
        found.add(ran.stdout.split()[-1])
    assert len(found) == 1


def test_last_digits_of_numpys_exp_and_log_do_not_matter(monkeypatch):
    """On processors with AVX-512 they are other ones."""
    report = ReportedComparison(
        "PFS", [ReportedArm("a", n=60, median="7.4"), ReportedArm("b", n=58, median="5.6")], control="b",
        hazard_ratio=("0.71", "0.46", "1.10"), p_value="0.12",
    )  # fmt: skip
    before = reconstruct(report, 4, rng=1, threads=1).ipd()
    for name in ("exp", "log"):
        exact = getattr(np, name)

        def other(x, *args, exact=exact, **options):
            return np.nextafter(exact(x, *args, **options), np.inf)

        monkeypatch.setattr(np, name, other)
    after = reconstruct(report, 4, rng=1, threads=1).ipd()
    assert after["time"].to_numpy().tobytes() == before["time"].to_numpy().tobytes()
