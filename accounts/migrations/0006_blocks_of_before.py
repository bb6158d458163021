"""Accounts that were blocked before blocks were rows get one each: of all money, by whom the event says."""

from django.db import migrations

_ADD_BLOCKS = """
    INSERT INTO accounts_accountblock (id, account_id, scope, reason, placed_by_id, placed_at, lift_reason)
    SELECT uuidv7(), account.id, 'both', account.status_reason, placer.id, account.blocked_at, ''
    FROM accounts_account account
    LEFT JOIN LATERAL (
        SELECT (payload ->> 'actor')::bigint AS id FROM events_event
        WHERE key = account.id AND type = 'account.blocked' ORDER BY seq DESC LIMIT 1
    ) placer ON true
    WHERE account.status = 'blocked'
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_blocks'),
        ('events', '0001_initial'),
    ]

    operations = [migrations.RunSQL(_ADD_BLOCKS, migrations.RunSQL.noop)]
