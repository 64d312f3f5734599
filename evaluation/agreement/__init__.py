"""What was agreed and how much of it was done: the register of measures and the dose.

:mod:`~evaluation.agreement.register` reads ``agreement.toml``; :mod:`~evaluation.agreement.dose` sets the planned
against the done. Whether a measure worked is no question of this layer.
"""
