"""Give a first row of history to each row that was there before its table kept one."""

from django.db import migrations

_KEYED_BY_ID = (
    "core_user", "core_userrole", "core_userpermission", "core_role", "core_rolepermission", "core_openidlink",
    "kyc_client", "kyc_kyccase", "accounts_account", "payments_payment", "standing_orders_standingorder",
    "events_deadletter", "approvals_approval",
)
_TABLES = {
    "core_userrole": "core_user_groups",
    "core_userpermission": "core_user_user_permissions",
    "core_role": "auth_group",
    "core_rolepermission": "auth_group_permissions",
}
_MASKED = {"core_user": ("username", "first_name", "last_name", "email"), "kyc_client": ("name", "email")}

_SHARED = """
    SELECT array_agg(kept.column_name::text ORDER BY kept.ordinal_position)
    FROM information_schema.columns kept JOIN information_schema.columns own USING (table_schema, column_name)
    WHERE table_schema = current_schema() AND kept.table_name = %s AND own.table_name = %s
"""


def write_what_was_found(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        for name in (*_KEYED_BY_ID, "notifications_preferences"):
            table, history = _TABLES.get(name, name), f"{name}history"
            key = "client_id" if name == "notifications_preferences" else "id"
            cursor.execute(_SHARED, [history, table])
            columns = cursor.fetchone()[0]
            values = [_show(column, column in _MASKED.get(name, ())) for column in columns]
            cursor.execute(
                f"INSERT INTO {history} (pgh_created_at, pgh_label, pgh_obj_id, {', '.join(map(_quote, columns))})"
                f" SELECT clock_timestamp(), 'found', {key}, {', '.join(values)} FROM {table} row_now"
                f" WHERE NOT EXISTS (SELECT FROM {history} known WHERE known.pgh_obj_id = row_now.{key})"
            )


def _quote(column):
    return f'"{column}"'


def _show(column, is_masked):
    quoted = _quote(column)
    return f"regexp_replace({quoted}, '([[:alnum:]])[[:alnum:]]*', '\\1***', 'g')" if is_masked else quoted


class Migration(migrations.Migration):

    dependencies = [
        ("audit", "0001_initial"),
        ("core", "0006_rename_groups"),
        ("accounts", "0004_history"),
        ("payments", "0003_history"),
        ("standing_orders", "0002_history"),
        ("events", "0005_history"),
        ("notifications", "0004_history"),
        ("approvals", "0002_history"),
    ]

    operations = [migrations.RunPython(write_what_was_found, migrations.RunPython.noop)]
