"""The explorer as a widget: sliders on the left, what they mean on the right."""

from __future__ import annotations

from html import escape
from io import BytesIO
from typing import Any

import matplotlib as mpl

from analysis.conventions.border import border
from analysis.conventions.checks import one_of
from analysis.conventions.values import replace
from analysis.errors import AnalysisError, UnavailableError
from analysis.explorer.setting import DEFAULT, Setting
from analysis.plots import STYLE
from analysis.survival import Distribution

SLIDERS: dict[str, tuple[str, float, float, float]] = {
    "n": ("Patients", 20, 600, 10),
    "hazard_ratio": ("Hazard ratio", 0.3, 1.2, 0.05),
    "accrual": ("Accrual, months", 3, 48, 1),
    "month": ("Analysis, month", 6, 72, 1),
    "dropout": ("Lost per month", 0.0, 0.05, 0.005),
    "interim": ("Interim at", 0.0, 0.9, 0.1),
    "scans": ("Scans, weeks", 0, 16, 2),
}
ALPHAS = (0.025, 0.05, 0.1, 0.2)


@border
def explore(control: Distribution | None = None, *, setting: Setting | None = None, name: str = "control") -> Any:
    """Open the explorer on a control arm.

    Parameters
    ----------
    control
        A distribution, or an arm of a reconstruction: ``reconstruction.arm("placebo")``. By default exponential with
        median 9 months, and a slider for the median.
    setting
        Where to start.
    name
        What the control is called in the code to copy.

    Returns
    -------
    ipywidgets.Box
        The widget; a notebook shows it. Its attribute ``sliders`` has the controls by the fields of `Setting`, its
        attribute ``shown`` what is shown last.

    Raises
    ------
    UnavailableError
        If ``ipywidgets`` is not installed: the extra ``notebooks``.

    Examples
    --------
    >>> from analysis.survival import Weibull
    >>> widget = explore(Weibull(1.2, 14), setting=Setting(trials=0))
    >>> widget.sliders["n"].value = 200
    >>> widget.shown.setting.n
    200
    """
    try:
        import ipywidgets
    except ImportError as error:
        remedy = "pip install 'trial-outcome-analysis[notebooks]'"
        raise UnavailableError(f"ipywidgets is not installed; the explorer needs it: {remedy}") from error
    if control is not None:
        one_of("control", control, Distribution, "Exponential.from_median(9)")
    start = setting or Setting()
    wide = {"style": {"description_width": "110px"}, "layout": {"width": "340px"}, "continuous_update": False}
    sliders: dict[str, Any] = {}
    for field, (label, low, high, step) in SLIDERS.items():
        kind = ipywidgets.IntSlider if field == "n" else ipywidgets.FloatSlider
        given = getattr(start, field)
        sliders[field] = kind(
            value=given, min=min(low, given), max=max(high, given), step=step, description=label, **wide
        )
    sliders["dropout"].readout_format = ".3f"
    of_alpha = sorted({*ALPHAS, start.alpha})
    sliders["alpha"] = ipywidgets.SelectionSlider(
        options=of_alpha, value=start.alpha, description="Alpha, one-sided", **wide
    )
    if control is None:
        sliders["median"] = ipywidgets.FloatSlider(
            value=DEFAULT.median, min=2, max=36, step=0.5, description="Control median", **wide
        )
    said, picture = ipywidgets.HTML(), ipywidgets.Image(format="png")
    code, text = ipywidgets.HTML(), ipywidgets.HTML()
    more = ipywidgets.Accordion([code, text], titles=("Code to copy", "Paragraph for the protocol"))
    picture.layout.max_width = "100%"
    left = ipywidgets.VBox(list(sliders.values()), layout={"flex": "0 0 350px"})
    right = ipywidgets.VBox([said, picture, more], layout={"flex": "1 1 auto", "min_width": "0"})
    box = ipywidgets.HBox([left, right])
    box.sliders, box.shown = sliders, None

    def update(_: object = None) -> None:
        values = {field: slider.value for field, slider in sliders.items() if field != "median"}
        median = sliders["median"].value if control is None else 0.0
        of_control = control if control is not None else type(DEFAULT).from_median(median)
        called = name if control is not None else f"Exponential.from_median({median:g})"
        try:
            asked = replace(start, **values)
            shown = asked.show(of_control)
        except AnalysisError as error:
            said.value = f"<p style='color:#a33'>{escape(str(error))}</p>"
            return
        box.shown = shown
        said.value = f"<p style='font-size:1.15em'>{escape(shown.words())}</p>"
        with mpl.rc_context(STYLE), BytesIO() as buffer:
            shown.figure().savefig(buffer, format="png", dpi=80)
            picture.value = buffer.getvalue()
        imports = "from analysis.survival import Exponential\n" if control is None else ""
        code.value = f"<pre>{escape(imports + shown.code(called))}</pre>"
        text.value = f"<p>{escape(shown.protocol_text())}</p>"

    for slider in sliders.values():
        slider.observe(update, "value")
    update()
    return box
