"""The groups of before become roles: a maker worked on accounts, a checker decided KYC cases."""

from django.db import migrations

NEW_NAMES = {"maker": "ops_maker", "checker": "kyc_approver"}


def rename_groups(apps, schema_editor):
    """Keep each member's rights as they were; permissions outside a role, which no page ever gave, end."""
    groups = apps.get_model("auth", "Group").objects
    for old, new in NEW_NAMES.items():
        if not groups.filter(name=new).exists():
            groups.filter(name=old).update(name=new)
    apps.get_model("core", "User").user_permissions.through.objects.all().delete()


class Migration(migrations.Migration):

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        ('core', '0005_roles'),
    ]

    operations = [
        migrations.RunPython(rename_groups, migrations.RunPython.noop),
    ]
