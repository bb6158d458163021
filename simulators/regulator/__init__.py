"""The regulator: takes reports of transfers and a summary of each day, and knows what it has taken before.

    POST /v1/reports                  {"reports": [...]}, MAX_REPORTS at most
    PUT  /v1/summaries/DAY/VERSION    {"totals": [...]}

A report whose id was accepted is never accepted again: whoever repeats it gets the first acknowledgement number. A
summary is accepted if its reported totals are those of the day's accepted reports.
"""
