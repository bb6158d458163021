from django.db import migrations


class Migration(migrations.Migration):
    """Leave half of each page free, so that an update of a balance stays on its page and touches no index (HOT)."""

    dependencies = [("ledger", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE ledger_ledgeraccount SET (fillfactor = 50)",
            "ALTER TABLE ledger_ledgeraccount RESET (fillfactor)",
        )
    ]
