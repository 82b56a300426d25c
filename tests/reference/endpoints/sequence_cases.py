"""Turn a case of the reference files into a history and an endpoint of the package."""

from datetime import date

from analysis.endpoints import (
    BestOverallResponse,
    ClinicalBenefit,
    Confirmation,
    ConfirmedProgression,
    LastAssessment,
    ObjectiveResponse,
    ResponseHistory,
    UnconfirmedProgression,
)

NO_RESPONSE = {"NA"}


def history_of(case, criteria="RECIST 1.1", **further):
    """Build the history; assessments on one day keep their order. Some endpoints are asked without a reference date."""
    assessments = sorted(case["assessments"], key=lambda assessment: assessment["date"])
    responses = [None if a["response"] in NO_RESPONSE else a["response"] for a in assessments]
    reference = date.fromisoformat(case["reference_date"] or "2000-01-01")
    dates = [date.fromisoformat(a["date"]) for a in assessments]
    return ResponseHistory(case["subject"], reference, dates, responses, criteria, **further)


def confirmation_of(parameters):
    """Build the confirmation rule."""
    return Confirmation(parameters["ref_confirm"], parameters.get("max_nr_ne", 1), parameters.get("accept_sd", False))


def recist_endpoint(name, parameters, cut):
    """Build the endpoint that a name and its parameters stand for."""
    window = parameters.get("ref_start_window", 42)
    missing = "NE" if parameters.get("missing_as_ne") else "MISSING"
    build = {
        "BOR": lambda: BestOverallResponse(None, window, cut, missing),
        "CBOR": lambda: BestOverallResponse(confirmation_of(parameters), window, cut, missing),
        "RSP": lambda: ObjectiveResponse(None, cut),
        "CRSP": lambda: ObjectiveResponse(confirmation_of(parameters), cut),
        "CBR": lambda: ClinicalBenefit(None, window, cut, parameters["clinben_vals"]),
        "CB": lambda: ClinicalBenefit(None, window, cut),
        "CCB": lambda: ClinicalBenefit(confirmation_of(parameters), window, cut),
        "LSTA": lambda: LastAssessment(parameters.get("drop_not_evaluable", False), cut),
    }
    return build[name]()


def irecist_endpoint(name, parameters):
    """Build the iRECIST endpoint that a name and the parameters stand for."""
    window = parameters["ref_start_window"]
    confirmation = confirmation_of(parameters)
    build = {
        "ICPD": ConfirmedProgression,
        "IUPD": UnconfirmedProgression,
        "IRSP": ObjectiveResponse,
        "ICB": lambda: ClinicalBenefit(None, window),
        "IBOR": lambda: BestOverallResponse(None, window),
        "ICRSP": lambda: ObjectiveResponse(confirmation),
        "ICCB": lambda: ClinicalBenefit(confirmation, window),
        "ICBOR": lambda: BestOverallResponse(confirmation, window),
    }
    return build[name]()


def as_expected(derived):
    """Write a derived value as the reference files do."""
    return {"value": derived.value, "date": derived.date and derived.date.isoformat()}
