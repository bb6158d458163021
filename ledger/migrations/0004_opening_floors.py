"""Give each account that was opened with an overdraft the version 0 that says so."""

from django.db import migrations

INSERT = """
    INSERT INTO ledger_availabilitychange (account_id, version, pending_delta, floor_delta, changed_at)
    SELECT account.id, 0, 0, account.floor - changed.delta, coalesce(uuid_extract_timestamp(account.id), now())
    FROM ledger_ledgeraccount account
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(floor_delta), 0) AS delta FROM ledger_availabilitychange WHERE account_id = account.id
    ) changed
    WHERE account.floor <> changed.delta
"""


class Migration(migrations.Migration):
    """The history is append-only, so the rows stay when the migration is undone; they do no harm then."""

    dependencies = [("ledger", "0003_final_rows")]

    operations = [migrations.RunSQL(INSERT, migrations.RunSQL.noop)]
