"""Pages of what goes to the regulator.

reports   a report, its attempts, what staff may do about it
circuit   the connection: whether calls go through, and what waits
"""

from reporting.regulatory.admin import circuit, reports

__all__ = ["circuit", "reports"]
