"""Files to be filled in: a report, and a planned trial."""

REPORT = """\
# A trial as it was reported, for `trial-analysis reconstruct {name}.toml`.
# Write numbers digit for digit: 11.0 says more than 11. Leave out what is not printed; a line with # is not read.
title = "{name}"
summary = "What was compared in whom; the primary endpoint."

[arms]
new = "new treatment"
old = "old treatment"

[sources.paper]
citation = "Authors, Journal Year;Volume:Pages"
kind = "abstract"                        # article, abstract, label, registry, news ..

[[comparisons]]
id = "pfs"
endpoint = "PFS"                         # OS, PFS, DFS, EFS ..
sources = ["paper"]
status = "published"
time_unit = "months"
control = "old"
arms = [
  {{ name = "new", n = 150, events = 96, median = 11.0, median_ci = [9.2, 13.4] }},
  {{ name = "old", n = 148, events = 117, median = 7.4 }},              # or median = "7.4 (6.0-8.9)", "not reached"
]
hazard_ratio = {{ estimate = 0.66, ci = [0.50, 0.87] }}
# p_value = {{ value = 0.003, sided = 2, test = "log-rank" }}
# strata = [{{ name = "visceral disease", n = [170, 128] }}]  # if ratio and p are stratified; n by level, all arms
# median_follow_up = 18.2
# In an arm also: landmarks = [{{ time = 6, survival = 71.3 }}]
#                 at_risk = {{ times = [0, 6, 12], counts = [150, 98, 51] }}
"""

PLAN = """\
# A planned trial, for `trial-analysis power {name}.toml`. A line with # is not read.
# Times are months, or have their unit: "8 weeks". Every name is that of the library:
# {{ kind = "Weibull", shape = 1.2, scale = 14 }} is analysis.survival.Weibull.
title = "{name}"
sources = ["where the assumptions come from"]

[design]
n = 100                                  # patients, all arms together
accrual_months = 18                      # or accrual = {{ kind = "AccrualRate", rates = 5.5 }}
looks = [{{ month = 30 }}]                 # or {{ events = 60 }}
dropout = 0.005                          # lost per month
# assessments = {{ interval = "8 weeks" }} # events are found at visits: in simulation, the formula counts them at once
allocation = {{ control = 1, experimental = 1 }}
alpha = 0.025
sided = 1

[control]
median = 9.0                             # exponential; or kind = "Weibull" with its fields;
# reconstruct = "my-trial.toml"          # or an arm of a report, reconstructed:
# comparison = "pfs"                     #   which comparison of it,
# arm = "old"                            #   and which arm

[effect]
hazard_ratio = 0.6                       # or [experimental] with a median or a kind
# hazard_ratio = [1.0, 0.6]              # or a ratio that changes,
# breaks = [3]                           #   from month 3

# [sequential]                           # boundaries of several looks; leave out design.looks
# fractions = [0.5, 1.0]
# events = 60

# [test]
# kind = "LogRank"                       # the default

[simulation]
trials = 10000                           # 0: formulas alone
seed = 1
"""
