"""What is exported is read in R: as transport file by haven and foreign, as CSV, and gives R's survival the same ratio.

Runs where Rscript and the three packages are; nothing else of the tests needs them.
"""

import json
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from analysis import reconstruct
from analysis.reconstruction import adtte
from analysis.reconstruction.exports import write_adtte
from analysis.reported import ReportedArm, ReportedComparison
from analysis.statistical_tests import CoxHazardRatio

PACKAGES = """
needed <- c("haven", "foreign", "survival", "jsonlite")
quit(status = as.integer(!all(sapply(needed, requireNamespace, quietly = TRUE))))
"""
SCRIPT = """
suppressMessages(library(survival))
file <- commandArgs(TRUE)
by_haven <- haven::read_xpt(file[1])
by_foreign <- foreign::read.xport(file[1])
by_csv <- read.csv(file[2])
fit <- coxph(Surv(AVAL, CNSR == 0) ~ I(TRTP == "new"), data = by_haven)
cat(jsonlite::toJSON(list(
  haven = as.list(as.data.frame(by_haven)), foreign_aval = by_foreign$AVAL, csv_aval = by_csv$AVAL,
  labels = sapply(by_haven, function(x) { label <- attr(x, "label"); if (is.null(label)) "" else label }),
  ratio = unname(exp(coef(fit)))), digits = 17, auto_unbox = TRUE))
"""


def r_has_what_is_needed():
    rscript = shutil.which("Rscript")
    if rscript is None:
        return False
    return subprocess.run([rscript, "-e", PACKAGES], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not r_has_what_is_needed(), reason="Rscript with haven, foreign, survival and jsonlite is not here")
def test_a_transport_file_and_a_csv_are_read_in_r(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arms = [ReportedArm("new", n=80, median="9.2"), ReportedArm("old", n=78, median="5.6")]
    report = ReportedComparison("PFS", arms, control="old", hazard_ratio="0.61 (0.42-0.88)")
    frame = adtte(reconstruct(report, members=3, rng=1), study="A-TRIAL")
    write_adtte(frame, tmp_path / "adtte.xpt")
    frame.to_csv("adtte.csv", index=False)
    (tmp_path / "read.R").write_text(SCRIPT, encoding="utf-8")
    ran = subprocess.run(["Rscript", "read.R", "adtte.xpt", "adtte.csv"], capture_output=True, text=True, check=True)
    read = json.loads(ran.stdout)
    theirs = pd.DataFrame(read["haven"])
    assert list(theirs.columns) == list(frame.columns)
    for name in frame.columns:
        if frame[name].dtype == object or str(frame[name].dtype).startswith("str"):
            assert theirs[name].tolist() == frame[name].tolist()
        else:
            np.testing.assert_allclose(theirs[name].to_numpy(float), frame[name].to_numpy(float), rtol=1e-13)
    np.testing.assert_allclose(read["foreign_aval"], frame["AVAL"], rtol=1e-13)
    np.testing.assert_allclose(read["csv_aval"], frame["AVAL"], rtol=1e-13)
    assert all(read["labels"])
    ratio = CoxHazardRatio().analyse(frame["AVAL"], frame["CNSR"] == 0, frame["TRTP"] == "new").estimate
    assert read["ratio"] == pytest.approx(ratio, rel=1e-8)
