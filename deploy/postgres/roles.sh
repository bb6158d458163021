#!/bin/sh
# Run once by the PostgreSQL image, on an empty data folder: the database, its owner, who migrates, and the
# application's role, who can sign in and does what the migrations grant it.
set -eu

psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" \
    --set owner_password="$BANK_OWNER_PASSWORD" --set app_password="$BANK_APP_PASSWORD" <<'SQL'
CREATE ROLE bank_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE bank_app LOGIN PASSWORD :'app_password';
CREATE DATABASE bank OWNER bank_owner LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' TEMPLATE template0;
REVOKE ALL ON DATABASE bank FROM PUBLIC;
GRANT CONNECT ON DATABASE bank TO bank_app;
SQL
