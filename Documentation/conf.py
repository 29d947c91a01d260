# SPDX-License-Identifier: GPL-2.0-only
"""How Sphinx makes pages of Documentation/; tools/docs runs it.

GOSPAN_KERNEL is the kernel source whose kernel-doc reads the comments.
"""

import os
import sys

kernel = os.environ["GOSPAN_KERNEL"]
sys.path.insert(0, os.path.join(kernel, "Documentation/sphinx"))

project = "gospan"
extensions = ["kerneldoc", "automarkup"]
kerneldoc_bin = os.path.join(kernel, "scripts/kernel-doc")
kerneldoc_srctree = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

exclude_patterns = ["sample"]
primary_domain = "c"
# Literal blocks are commands, pictures and C.
highlight_language = "none"
smartquotes = False
html_show_copyright = False

# Attributes that Sphinx would take for types.
c_id_attributes = ["__malloc"]

# With -n a reference that leads nowhere is a warning; the kernel's own names, and
# the structures that callers do not see into, lie outside of these pages.
nitpick_ignore_regex = [
    ("c:.*", r"(?!_*gospan)(?!GOSPAN).*"),
    ("c:.*", r"gospan_(mcentral|node_heap|arenas|cache)"),
]
