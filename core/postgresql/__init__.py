"""Django's engine for PostgreSQL (settings.DATABASES), with a pool that forgets a server that has gone."""
