"""What an estimate is worth and what it says: evidence grade, verdict, and a proposal that people decide on.

:func:`~evaluation.findings.finding.judge` puts grade and verdict together; the words are in
:mod:`~evaluation.findings.wording`.
"""
