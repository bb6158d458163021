"""manage.py grant_role: gives a role to a member of staff, for the first ones, who have nobody to approve theirs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from core.errors import BankError
from core.history.origin import give_reason
from core.models import User
from core.roles import list_roles, set_roles


class Command(BaseCommand):
    """Whoever runs it has the database's password; that it was run is in the history of the user's roles."""

    help = "Gives a member of staff a role besides those that the user has. From then on two administrators do that."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whom, what and why."""
        parser.add_argument("username")
        parser.add_argument("role", help="for instance administrator")
        parser.add_argument("--reason", required=True, help="kept with the change")

    def handle(self, *args: Any, **options: Any) -> None:
        """Give it."""
        user = User.objects.filter(username=options["username"], is_staff=True, is_active=True).first()
        if user is None:
            raise CommandError("There is no active member of staff of this name.")
        roles = {entry.group.name for entry in list_roles(user=user)} | {options["role"]}
        give_reason(reason=options["reason"])
        try:
            with transaction.atomic(durable=True):
                set_roles(user=user, roles=roles)
        except BankError as error:
            faults = [text for texts in error.errors.values() for text in texts]
            raise CommandError(" ".join([error.text, *faults])) from error
        print(f"{user.username}: {', '.join(sorted(roles))}")
