"""All findings of a trial, and which of them its file lists as known."""

from dataclasses import dataclass, replace

from analysis.conventions.border import border
from analysis.reported.comparison import ReportedComparison
from analysis.reported.comparison_checks import COMPARISON_CHECKS
from analysis.reported.entries import KnownFinding, TrialRecord
from analysis.reported.finding import Finding
from analysis.reported.trial_checks import TRIAL_CHECKS


@border
@dataclass(frozen=True)
class Review:
    """The findings of a trial, sorted by whether its file knows them.

    Parameters
    ----------
    known
        Findings that the file lists, each with its explanation.
    new
        Findings that it does not list.
    gone
        Listed findings that no longer occur.

    Examples
    --------
    >>> from analysis.reported import load, review
    >>> reviewed = review(load("bolero-2"))
    >>> reviewed.passed, len(reviewed.new)
    (True, 0)
    """

    known: tuple[tuple[Finding, KnownFinding], ...]
    new: tuple[Finding, ...]
    gone: tuple[KnownFinding, ...]

    @property
    def passed(self) -> bool:
        """Whether no new finding is an error."""
        return not any(finding.severity == "error" for finding in self.new)


@border
def check_comparison(comparison: ReportedComparison) -> list[Finding]:
    """Run every check within one comparison.

    Examples
    --------
    >>> from analysis.reported import ReportedArm
    >>> arms = [ReportedArm("new", median="9.1", median_ci=("9.4", "12.0")), ReportedArm("old", median="6.0")]
    >>> [found] = check_comparison(ReportedComparison("PFS", arms, control="old"))
    >>> found.check, found.severity
    ('estimate-outside-interval', 'error')
    """
    return [finding for find in COMPARISON_CHECKS for finding in find(comparison)]


@border
def check(trial: TrialRecord) -> list[Finding]:
    """Run every check on a trial.

    Examples
    --------
    >>> from analysis.reported import load
    >>> for finding in check(load("bolero-2")):
    ...     print(finding.where, finding.check, finding.severity)
    os-final p-against-interval warning
    orr-placebo-fda / orr-placebo-review conflicting-sources warning
    """
    found = [finding for comparison in trial.comparisons for finding in check_comparison(comparison)]
    found += [finding for find in TRIAL_CHECKS for finding in find(trial)]
    return [replace(finding, trial=trial.name) for finding in found]


@border
def review(trial: TrialRecord) -> Review:
    """Run every check on a trial, and tell known findings from new ones.

    Examples
    --------
    >>> from analysis.reported import load
    >>> [found.where for found, _ in review(load("xenera-1")).known][:1] != []
    True
    """
    findings = check(trial)
    listed = {(known.check, known.where): known for known in trial.known_findings}
    found = {(finding.check, finding.where) for finding in findings}
    return Review(
        known=tuple((f, listed[f.check, f.where]) for f in findings if (f.check, f.where) in listed),
        new=tuple(f for f in findings if (f.check, f.where) not in listed),
        gone=tuple(known for key, known in listed.items() if key not in found),
    )
