"""Pages of what goes to the regulator.

reports   a report, its attempts, what staff may do about it
summaries the control totals of a day
circuit   the connection: whether calls go through, and what waits
"""

from reporting.regulatory.admin import circuit, reports, summaries

__all__ = ["circuit", "reports", "summaries"]
