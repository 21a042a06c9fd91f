"""Sphinx configuration. Building needs no network: nothing is fetched, every asset is local."""

import os
import sys
import warnings

# before torch starts its threads: two threads on two shared cores are up to 40 times slower
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, os.path.join(os.path.dirname(__file__), "_ext"))

import skrehab

project = "skrehab"
author = "The skrehab developers"
copyright = "the skrehab developers, BSD-3-Clause"
version = release = skrehab.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",  # testsetup: what tests prepare for a block; pages leave it out
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "generated_pages",  # docs/_ext: API tables, networks table and contributing page
    "constants",  # docs/_ext: what constants are
    "result_tables",  # docs/_ext: tables of benchmarks/results
    "notebook_pages",  # docs/_ext: notebooks with their outputs as pages
    "choice_pages",  # docs/_ext: networks to choose from, errors, the TRIPOD+AI checklist
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "notebooks/*.ipynb", "_templates", "generated/backreferences"]
default_role = "literal"
nitpicky = False
smartquotes = False  # dashes and quotes are written as they are meant

# --- API ------------------------------------------------------------------------------------------
autosummary_generate = True
autodoc_typehints = "none"
autodoc_member_order = "bysource"
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

# --- gallery --------------------------------------------------------------------------------------
# the notes that estimators print about small data are shown; those of other packages are not
warnings.filterwarnings("ignore", category=DeprecationWarning)
# without the place where they came up, which is a path of the machine that builds
warnings.formatwarning = lambda message, category, *where: f"{category.__name__}: {message}\n"
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "within_subsection_order": "generated_pages.GalleryOrder",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("skrehab",),
    "download_all_examples": False,
    "show_memory": False,
    "min_reported_time": 1,
    "abort_on_example_error": True,
    "capture_repr": (),  # what is printed is shown, not the address of a Display
    "write_computation_times": False,  # that page loads scripts from elsewhere
    "remove_config_comments": True,
    "plot_gallery": True,
}

# --- pages ----------------------------------------------------------------------------------------
html_theme = "pydata_sphinx_theme"
html_title = "skrehab"
html_static_path = ["_static"]
html_css_files = ["skrehab.css"]
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {
    "gallery/*": [],
    "install": [],
    "quickstart": [],
    "step_by_step": [],
    "first_look": [],
    "study": [],
    "clinical": [],
    "errors": [],
    "peers": [],
    "networks": [],
    "evidence": [],
    "data": [],
    "glossary": [],
    "design": [],
    "pitfalls": [],
    "privacy": [],
    "references": [],
    "contributing": [],
    "changes": [],
}
html_theme_options = {
    "logo": {"text": "skrehab"},
    "show_prev_next": False,
    "show_toc_level": 2,
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "pygments_light_style": "tango",
    "pygments_dark_style": "monokai",
}
