"""Close the cases that stayed in review when their clients left."""

from django.db import migrations

CLOSE = """
    UPDATE kyc_kyccase
    SET status = 'closed',
        decided_at = kyc_client.inactivated_at,
        reason = coalesce(nullif(kyc_client.inactivation_reason, ''), 'The client left')
    FROM kyc_client
    WHERE kyc_client.id = kyc_kyccase.client_id
      AND kyc_client.status = 'inactive'
      AND kyc_kyccase.status = 'in_review'
"""


class Migration(migrations.Migration):

    dependencies = [
        ('kyc', '0005_closed_cases'),
    ]

    operations = [
        migrations.RunSQL(CLOSE, migrations.RunSQL.noop),
    ]
