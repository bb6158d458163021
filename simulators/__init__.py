"""Stand-ins for systems outside the bank: small HTTP servers that keep what they take in and fail on demand.

    faults   what goes wrong, how often, and the dice
    state    an SQLite file: what was taken in, and the faults; both are there again after a restart
    server   HTTP/1.1 by threads: the interface, GET and PUT /faults, a page for people at /
    page     that page

The bank's apps know them by their addresses alone, and nothing here knows the bank.
"""
