from django.db import migrations

# Payments that were ordered before there was a rail: those that are held wait for it, the others are over.
_QUEUE = """
    INSERT INTO payments_submission (payment_id, uetr, status, attempts, failures, due_at, created_at)
    SELECT id, gen_random_uuid(), 'waiting', 0, 0, created_at, created_at FROM payments_payment
"""
_END = """
    UPDATE payments_submission submission SET status = 'over', ended_at = coalesce(submitted_at, returned_at)
    FROM payments_payment payment WHERE payment.id = submission.payment_id AND payment.status <> 'held'
"""


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0004_submissions'),
    ]

    operations = [
        migrations.RunSQL([_QUEUE, _END], migrations.RunSQL.noop),
    ]
