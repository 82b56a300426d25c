"""The words of TR for groups of lesions, tests and states, each brought to the one word that the rules read."""

from __future__ import annotations

TESTS = {
    "LDIAM": "LDIAM",
    "MAJAXIS": "LDIAM",
    "LPERP": "LPERP",
    "SAXIS": "SAXIS",
    "MINAXIS": "SAXIS",
    "DIAMETER": "DIAMETER",
    "SUMDIAM": "SUMDIAM",
    "TUMSTATE": "TUMSTATE",
    "LNSTATE": "LNSTATE",
}
"""Tests that are read, and what they are read as. SDIAM is a short axis for a lesion, a sum without one."""

NOT_READ = {
    *("ACNSD", "ACSD", "AREA", "NUMLES", "PCBSD", "PCNSD", "PRODUCT", "SUMAREA", "SUMLDIAM", "SUMLPERP"),
    *("SUMNLNLD", "SUMPDIAM", "SUMPROD", "THICK", "VOLUME"),
}
"""Tests of TR that RECIST does not need, or that are derived from the diameters."""

ABSENT = {"ABSENT", "RESOLVED", "DISAPPEARED"}
TOO_SMALL = {"TOO SMALL TO MEASURE", "TOO SMALL", "TSTM"}
NOT_MEASURED = {
    *("", ".", "NE", "ND", "NA", "N/A", "UNK", "UNKNOWN", "MISSING"),
    *("NOT EVALUABLE", "NOT DONE", "NOT ASSESSED", "NOT ASSESSABLE", "NOT MEASURED"),
}
"""Results that say that a lesion was not measured."""


def group_of(written: str) -> str:
    """Bring the name of a group to TARGET, NON-TARGET or NEW; any other name stays as it is.

    Examples
    --------
    >>> [group_of(name) for name in ("Target", "NON TARGET LESION", "New_Target", "bone")]
    ['TARGET', 'NON-TARGET', 'NEW', 'BONE']
    """
    name = written.strip().upper()
    words = name.replace("_", " ").replace("-", " ").split()
    first = words[0] if words else ""
    if first == "NEW":
        return "NEW"
    if first in ("NON", "NONTARGET"):
        return "NON-TARGET"
    return "TARGET" if first == "TARGET" else name


def test_of(written: str, lesion: str) -> str:
    """Bring the name of a test to the one that is read; any other name stays as it is.

    Examples
    --------
    >>> test_of("ldiam", "T1"), test_of("SDIAM", "T1"), test_of("SDIAM", "")
    ('LDIAM', 'SAXIS', 'SUMDIAM')
    """
    name = written.strip().upper()
    if name == "SDIAM":
        return "SAXIS" if lesion else "SUMDIAM"
    return TESTS.get(name, name)
