#!/usr/bin/env python3
"""Django's command line for the bank."""

import os
import sys

from django.core.management import execute_from_command_line

from core.history.origin import Edge, origin

_WITHOUT_ORIGIN = ("migrate", "test")  # they send SQL that nothing can be put in front of

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bank.settings")
    command = next(iter(sys.argv[1:]), "")
    if command in _WITHOUT_ORIGIN:
        execute_from_command_line(sys.argv)
    else:
        with origin(edge=Edge.COMMAND, work=command):
            execute_from_command_line(sys.argv)
