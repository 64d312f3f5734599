"""The numbers of the annual report, computed and published once; chapters only choose among them and word them."""

from evaluation.report.material.gather import Material, gather

__all__ = ["Material", "gather"]
