"""Whether a client is somebody who may not be served.

provider    the port: who is screened, what is found, and which provider is asked (SCREENING_PROVIDER)
sanctions   the provider that ships: the newest list in the database, kept in memory by each process
lists       loading a list from a file
files       what such a file looks like
names       names brought into one form: script, accents, case, particles
matching    how alike two people are, as a score with its reasons
runs        which clients are screened, when, and what becomes of it
"""
