"""The WSGI entry. The system checks run here too: gunicorn would not run them."""

import os

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bank.settings")

application = get_wsgi_application()
call_command("check", "--fail-level", "ERROR", verbosity=0)
