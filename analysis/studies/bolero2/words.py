"""What BOLERO-2's reconstruction comes to, every number taken from its frame."""

from __future__ import annotations

from analysis.studies.bolero2 import curves


def conclusion() -> str:
    """Say in five sentences what the abstracts give back."""
    at_6 = curves.landmarks(curves.FINAL_PFS, months=(6,)).query("arm == 'everolimus'")
    local, central = at_6.to_dict("records")
    ratios = curves.subgroup_ratios().set_index("patients")
    rest = dict(ratios.loc["no visceral metastases"])
    first = curves.first_line_against_rest()
    interaction = first[(first["endpoint"] == "PFS local") & (first["patients"] == "ratio")].iloc[0]
    patients = curves.together().arm_index.size
    distinct = curves.together().diagnostics["distinct members"]
    return (
        f"{len(curves.TOGETHER)} printed analyses of BOLERO-2 are reconstructed as one list of {patients} patients: "
        f"{distinct:.0f} of {curves.MEMBERS} members are distinct, and each gives every printed number back but "
        f"those named below. At 6 months {local['mean']:.0%} ({local['lower']:.0%}-{local['upper']:.0%}) of the "
        f"patients on everolimus were free of progression by local reading and {central['mean']:.0%} "
        f"({central['lower']:.0%}-{central['upper']:.0%}) by central review, which was not printed. The patients "
        f"without visceral metastases, whom no report shows, have a hazard ratio of {rest['estimate']:.2f} "
        f"({rest['lower']:.2f}-{rest['upper']:.2f}). First line and the others differ by a ratio of hazard ratios of "
        f"{interaction['hazard ratio']:.2f} ({interaction['lower']:.2f}-{interaction['upper']:.2f}). These ranges "
        "are what the reports leave open; sampling error comes on top."
    )
