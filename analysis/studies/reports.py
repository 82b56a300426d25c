"""What was reported of the trials that the studies rest on."""

from functools import cache

from analysis.reported import ReportedTrial, load


@cache
def report_of(trial: str) -> ReportedTrial:
    """Give what was reported of a trial; its file is read once in a process, for a search asks a thousand times.

    Examples
    --------
    >>> report_of("xenera-1") is report_of("xenera-1")
    True
    """
    return load(trial)
