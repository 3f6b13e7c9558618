"""Sphinx: Markdown by MyST, the furo theme; `tox run -e docs` turns warnings into errors."""

import logging
from importlib.metadata import version as version_of

project = "ReverseFlow"
author = "The ReverseFlow developers"
copyright = author
version = release = version_of("reverseflow")

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]

myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"

html_theme = "furo"
html_title = "ReverseFlow"

# Sections list their pages by pattern. Sphinx gives the warning about a section that has none yet
# no name that `suppress_warnings` knows, so it is dropped here.
logging.getLogger("sphinx.sphinx.directives.other").addFilter(
    lambda record: getattr(record, "subtype", None) != "empty_glob"
)
