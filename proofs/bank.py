"""The bank of a proof, in an empty database: `python -m proofs.bank ACCOUNTS`."""

import os
import subprocess
import sys

import psycopg

from proofs.gates import GATES

# A failure at COMMIT, when all is written and numbered, in whichever session asks for it.
ROLL_BACK_ON_DEMAND = """
CREATE FUNCTION proof_roll_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rolled back on purpose';
END $$;
CREATE CONSTRAINT TRIGGER proof_roll_back AFTER INSERT ON events_event DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (current_setting('proof.roll_back', true) = 'on') EXECUTE FUNCTION proof_roll_back();
"""


def build_bank(*, accounts: int, database: str) -> None:
    """Build it at the address `database`, with accounts that have money."""
    environment = dict(os.environ) | {"DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "bank.settings"}
    subprocess.run([sys.executable, "-m", "benchmarks.bank", str(accounts)], check=True, env=environment)
    with psycopg.connect(database) as connection:
        connection.execute(ROLL_BACK_ON_DEMAND)
        connection.execute(GATES)
