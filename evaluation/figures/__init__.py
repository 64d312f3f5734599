"""Figures of the reports: `Published` values in, a matplotlib figure out; nothing is computed here.

A figure carries no title: its title is its finding, and that is text above it in the report. What can be written at
the thing itself is written there, not in a legend.
"""
