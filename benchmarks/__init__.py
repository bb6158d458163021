"""Figures of the ledger against pgbench on the same server, in the same run: `make bench`."""
