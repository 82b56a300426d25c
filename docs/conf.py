"""The documentation site: pages of this folder, the notebooks, and what `pages.py` makes of the package itself."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import pages  # noqa: E402

import analysis  # noqa: E402

project = "trial-outcome-analysis"
author = "The trial-outcome-analysis developers"
version = release = analysis.__version__
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.mathjax",
]
exclude_patterns = ["_build"]
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb", ".ipynb": "myst-nb"}
nb_execution_mode = "off"  # notebooks are committed executed; the tests run them and every example of every page
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
html_theme = "pydata_sphinx_theme"
html_title = "trial-outcome-analysis"
html_theme_options = {
    "header_links_before_dropdown": 7,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
}
html_show_sourcelink = False
suppress_warnings = ["mystnb.unknown_mime_type", "ref.python"]  # names that several classes have


def setup(app):
    """Make the pages that are made before the others are read."""
    app.connect("builder-inited", lambda app: pages.make(Path(app.srcdir)))
