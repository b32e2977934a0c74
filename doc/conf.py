"""Configuration of the documentation: ``python -m sphinx -W -b html doc doc/_build/html``."""

from __future__ import annotations

import os
import re
import sys
import warnings
from importlib.util import find_spec

import skpg

sys.path.insert(0, os.path.dirname(__file__))

project = "skpg"
author = "The skpg developers"
copyright = "2026, the skpg developers"
release = version = skpg.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",  # pages need no other site
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "sphinxcontrib.bibtex",
    "ready_spaces_table",
]
exclude_patterns = ["_build", "benchmarks", "Thumbs.db"]
templates_path = ["_templates"]
default_role = "py:obj"

# Links into other projects need their inventories from the network. The documentation
# builds without it; the links are added where the site is built.
if os.environ.get("READTHEDOCS"):
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "scipy": ("https://docs.scipy.org/doc/scipy", None),
        "sklearn": ("https://scikit-learn.org/stable", None),
    }

# -- API pages -------------------------------------------------------------------------
autosummary_generate = True
autodoc_typehints = "none"  # numpydoc sections say it in words
autodoc_member_order = "bysource"
# MLflow is too large to be installed for one page.
autodoc_mock_imports = [name for name in ("mlflow",) if find_spec(name) is None]
# What a search inherits from scikit-learn is documented there.
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
numpydoc_xref_param_type = False

# -- Equations -------------------------------------------------------------------------
numfig = True
math_numfig = False  # plain (1), (2), ...: the code cites them so
math_eqref_format = "({number})"

# -- References ------------------------------------------------------------------------
bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "unsrt"
bibtex_reference_style = "author_year"

# -- Gallery ---------------------------------------------------------------------------
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    # run all of them, not only plot_*.py, but the one that needs MLflow
    "filename_pattern": r"^(?!.*mlflow_runs).*\.py$",
    "ignore_pattern": r"__init__\.py",
    "within_subsection_order": "FileNameSortKey",
    "download_all_examples": False,
    "show_memory": False,
    "capture_repr": (),  # show what is printed, nothing else
    "write_computation_times": False,  # a page that loads its scripts from other sites
    "min_reported_time": 5,
    "matplotlib_animations": False,
    "backreferences_dir": None,
    "abort_on_example_error": True,
    "show_signature": False,
}
# A gallery page is an image of what the script prints; warnings about threads are not.
warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given")

# -- HTML ------------------------------------------------------------------------------
html_theme = "pydata_sphinx_theme"
html_title = "skpg"
html_static_path = ["_static"]
html_css_files = ["skpg.css"]
html_show_sourcelink = False
# without it the theme complains in the console of each page
html_context = {"default_mode": "auto"}
html_theme_options = {
    "navbar_align": "left",
    "show_toc_level": 2,
    "navigation_depth": 3,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "default",
    "pygments_dark_style": "github-dark",
}
html_sidebars = {name: [] for name in ("install", "whats_new", "development", "auto_examples/*")}


def keep_initials(app, what, name, obj, options, lines):
    """Escape the initial that begins a reference, which would be taken for a list: A., B., ..."""
    lines[:] = [re.sub(r"^(\s*\.\. \[\S+\] [A-Z])\.", r"\1\\.", line) for line in lines]


def setup(app):
    # after numpydoc, which names the references
    app.connect("autodoc-process-docstring", keep_initials, priority=900)
