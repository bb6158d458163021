"""Who changed what, when, from where and why: written by PostgreSQL in the commit of the change, and never changed.

tracking  which tables keep a history, and what of a row stands in it
origin    on whose behalf the program works, which each row of a history names
"""
