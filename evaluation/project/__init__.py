"""A project is a folder: the door for notebooks, command line and report.

:func:`open_project` reads ``project.toml``; everything else is read when it is first asked for, checked once, and kept.
"""

from evaluation.project.folder import Project, open_project

__all__ = ["Project", "open_project"]
