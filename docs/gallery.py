"""The pictures of the gallery: a title and the lines that make ``shown``. The tests run them."""

PREPARED = """
import numpy as np
import pandas as pd
from analysis import load, reconstruct
from analysis.design import AtTime, Look, Scenario, TrialDesign, UniformAccrual
from analysis.survival import Exponential

rng = np.random.default_rng(1)
n = 160
patients = pd.DataFrame({
    "time": rng.exponential(10, n).round(1) + 0.1,
    "cause": rng.choice(["progression", "death", "censored"], n, p=[0.5, 0.2, 0.3]),
    "arm": np.tile(["drug", "control"], n // 2),
    "visceral": rng.choice(["yes", "no"], n),
    "line": rng.choice(["first", "later"], n),
    "age": rng.normal(62, 10, n).round(),
})
patients["event"] = patients["cause"] != "censored"
design = TrialDesign(n=100, accrual=UniformAccrual(18), looks=[Look(AtTime(30))], dropout=0.005)
scenario = Scenario.proportional_hazards(Exponential.from_median(9), 0.6)
"""

PICTURES = {
    "Kaplan-Meier, with ratio, medians and two counts": """
from analysis.plots import survival_plot

shown = survival_plot(
    patients, control="control", annotate=["hazard ratio", "median", "p-value"], table=["at risk", "events"], end=36
)
""",
    "A reconstruction, its band and its members": """
from analysis.plots import survival_plot

report = load("bolero-2").comparison("pfs-first-line-local")
shown = survival_plot(reconstruct(report, members=50, rng=1), members=20, annotate=["hazard ratio", "median"])
""",
    "Curves by stratum": """
from analysis.plots import survival_facets

shown = survival_facets(patients, "visceral", control="control", end=36, annotate=["hazard ratio"])
""",
    "Panels by two variables, and everybody, stratified": """
from analysis.plots import survival_facets

shown = survival_facets(patients, ("visceral", "line"), control="control", everybody=True, end=36)
""",
    "The table by count, in a box, with lines and medians": """
from analysis.plots import RiskTable, survival_plot

table = RiskTable(["at risk", "events"], by="count", lines=True, medians=True, box=True)
shown = survival_plot(patients, control="control", table=table, end=36, every=6)
""",
    "Quartiles and their lines, counts at other months": """
from analysis.plots import RiskTable, survival_plot

table = RiskTable(times=[0, 4, 8, 12, 24, 36])
shown = survival_plot(
    patients, control="control", quantiles=[0.25, 0.75], annotate=["quantiles"], table=table, end=36, every=6
)
""",
    "Small pictures in the table": """
from pathlib import Path
from tempfile import mkdtemp

import matplotlib.image
from analysis.plots import RiskTable, survival_plot

folder = Path(mkdtemp())
x, y = np.meshgrid(np.linspace(-1, 1, 64), np.linspace(-1, 1, 64))
for name, radius in (("drug", 1.0), ("control", 0.6)):
    disc = np.where(np.hypot(x, y) < radius, 0.2, 1.0)
    matplotlib.image.imsave(folder / f"{name}.png", disc, cmap="gray", vmin=0, vmax=1)
pictures = {name: folder / f"{name}.png" for name in ("drug", "control")}
table = RiskTable(["at risk", "events"], by="count", pictures=pictures)
shown = survival_plot(patients, control="control", table=table, end=36)
""",
    "Three doses: a trend, all arms at once, pairs adjusted, stratified": """
from analysis.plots import survival_plot

doses = np.tile(["placebo", "5 mg", "10 mg", "5 mg"], n // 4)
ordered = patients.assign(arm=pd.Categorical(doses, ["placebo", "5 mg", "10 mg"]))
shown = survival_plot(
    ordered, control="placebo", strata="visceral", end=36,
    annotate=["p-value for trend", "p-value of all arms", "p-value"], pairs="all",
)
""",
    "Parametric fits over the estimate, by lifelines and by this library": """
from lifelines import WeibullFitter
from analysis.plots import survival_plot

estimate = patients[["time", "event"]]
weibull = WeibullFitter().fit(patients["time"], patients["event"])
shown = survival_plot(
    {"estimate": estimate, "Weibull": weibull, "exponential, median 9": Exponential.from_median(9)}, end=36, annotate=[]
)
""",
    "Adjusted curves, averaged over the patients": """
from lifelines import CoxPHFitter
from analysis.plots import survival_plot

data = patients.assign(drug=patients["arm"] == "drug", visceral=patients["visceral"] == "yes")
columns = ["time", "event", "drug", "visceral", "age"]
model = CoxPHFitter().fit(data[columns].astype(float), "time", "event", strata="drug")
curves = []
for arm, treated in (("drug", 1.0), ("control", 0.0)):
    mean = model.predict_survival_function(data[columns].astype(float).assign(drug=treated)).mean(axis=1)
    points = pd.DataFrame({"time": mean.index, "mean": mean.to_numpy(), "arm": arm, "step": True})
    points = points.assign(lower=np.nan, upper=np.nan)
    curves.append(points.query("time <= 36"))
shown = survival_plot(pd.concat(curves), annotate=[], table=[], ylabel="Adjusted survival")
""",
    "Two readers of the same patients": """
from analysis.plots import survival_plot

local = patients[["time", "event"]]
central = local.assign(time=(local["time"] * rng.uniform(0.8, 1.4, n)).round(1))
shown = survival_plot({"investigator": local, "central review": central}, annotate=["median"], end=36)
""",
    "log-log": """
from analysis.plots import survival_plot

shown = survival_plot(patients, control="control", transform="log-log", annotate=[])
""",
    "Cumulative hazard": """
from analysis.plots import survival_plot

shown = survival_plot(patients, control="control", transform="cumulative hazard", annotate=[], end=36)
""",
    "For a page of 85 mm, in grey": """
from analysis.plots import survival_plot

shown = survival_plot(patients, control="control", preset="85 mm", grey=True, end=36)
""",
    "KMunicate": """
from analysis.plots import survival_plot

shown = survival_plot(patients, control="control", preset="kmunicate", end=36)
""",
    "Rates at landmarks, and the restricted mean": """
from analysis.plots import survival_plot

shown = survival_plot(patients, control="control", landmarks=[6, 12], annotate=["landmarks", "RMST"], tau=24, end=36)
""",
    "A landmark analysis: counted from month 6, with the difference at month 12 of it": """
from analysis.plots import survival_plot

shown = survival_plot(
    patients, control="control", origin=6, landmarks=[12], annotate=["hazard ratio", "differences", "follow-up"], end=24
)
""",
    "The restricted mean shaded, small counts obscured, for a column of a journal": """
from analysis.plots import RiskTable, survival_plot

shown = survival_plot(
    patients, control="control", preset="jco", shade=True, tau=24, annotate=["RMST"], table=RiskTable(fewest=10), end=36
)
""",
    "Competing events": """
from analysis.plots import incidence_plot
from analysis.safety import cumulative_incidence

found = cumulative_incidence(patients["time"], list(patients["cause"]), list(patients["arm"]))
shown = incidence_plot(found, end=36)
""",
    "Competing events, stacked": """
from analysis.plots import incidence_plot
from analysis.safety import cumulative_incidence

found = cumulative_incidence(patients["time"], list(patients["cause"]), list(patients["arm"]))
shown = incidence_plot(found, shown="stacked", end=36)
""",
    "Power over the hazard ratio, with its simulation": """
from analysis.plots import power_curve

other = Scenario.proportional_hazards(Exponential.from_median(6), 0.6)
shown = power_curve(
    design, {"median 9": scenario, "median 6": other}, hazard_ratios=np.linspace(0.4, 1.0, 7), trials=2000
)
""",
    "Lines of equal power": """
from analysis.plots import power_contours

shown = power_contours(design, scenario, hazard_ratios=np.linspace(0.4, 0.85, 10), sizes=np.arange(60, 420, 40))
""",
    "Boundaries of a sequential design": """
from analysis.plots import boundaries
from analysis.sequential import BetaSpending, GroupSequentialDesign, LanDeMetsPocock

shown = boundaries(GroupSequentialDesign((0.5, 0.75, 1.0), futility=BetaSpending(LanDeMetsPocock())))
""",
    "Accrual and events": """
from analysis.plots import trial_course

shown = trial_course(design, scenario)
""",
    "The saw-tooth": """
from analysis.plots import saw_tooth

shown = saw_tooth(range(10, 70), null_rate=0.15, alternative_rate=0.35, alpha=0.05, power=0.8)
""",
    "A two-stage design": """
from analysis.plots import binomial_design
from analysis.single_arm import simon_two_stage

shown = binomial_design(simon_two_stage(null_rate=0.2, alternative_rate=0.4, alpha=0.05, power=0.8).optimal)
""",
    "Subgroups, with interaction": """
from analysis.plots import subgroup_forest

shown = subgroup_forest(patients, ["visceral", "line"], control="control")
""",
    "Models side by side": """
from types import SimpleNamespace

from matplotlib.figure import Figure

from analysis.plots import forest

figure = Figure(figsize=(6, 2.4), layout="constrained")
names = ["All", "All", "First line", "First line"]
ratios, lower, upper = [0.45, 0.38, 0.39, 0.36], [0.38, 0.31, 0.25, 0.22], [0.54, 0.48, 0.62, 0.6]
forest(names, ratios, lower, upper, figure.subplots(), series=["local", "central"] * 2)
shown = SimpleNamespace(figure=figure, alt="Hazard ratios by two readers, in all patients and in first line")
""",
    "Forest": """
from types import SimpleNamespace

from matplotlib.figure import Figure

from analysis.plots import forest

figure = Figure(figsize=(6, 2.4), layout="constrained")
ratios, lower, upper = [0.45, 0.47, 0.41], [0.38, 0.37, 0.31], [0.54, 0.60, 0.55]
forest(["All", "Visceral", "Not visceral"], ratios, lower, upper, figure.subplots())
shown = SimpleNamespace(figure=figure, alt="Hazard ratios of three groups with their limits")
""",
    "Tornado": """
from types import SimpleNamespace

from matplotlib.figure import Figure

from analysis.plots import tornado

figure = Figure(figsize=(6, 2.4), layout="constrained")
tornado(["alpha", "alpha", "dropout"], ["10%", "20%", "3% a month"], [0.7, 0.8, 0.45], 0.54, figure.subplots())
shown = SimpleNamespace(figure=figure, alt="How far the power moves with one assumption at a time")
""",
}
