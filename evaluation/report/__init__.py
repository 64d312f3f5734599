"""The reports: words and numbers become HTML, PDF, a notebook and a file of results.

:mod:`blocks` are the pieces, :mod:`tables` and :mod:`images` make the pieces of published values,
:mod:`annual` says what the annual report contains, and :mod:`runner` runs a report notebook and writes its
files. A report notebook begins with :func:`start`.
"""

from evaluation.report.context import Context, start

__all__ = ["Context", "start"]
