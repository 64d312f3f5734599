"""Input: contracts of all tables, readers that keep them, and what to ask the data before anything is computed.

:mod:`~evaluation.data.contracts` says what a table is; :mod:`~evaluation.data.readers` turns a file into one and
reports what it recognised; :mod:`~evaluation.data.rules` finds everything that breaks a contract. Nothing here knows
of projects or studies.
"""
