"""The roof: settings, URLs, Celery, WSGI and system checks. It puts the parts together and nothing imports it."""

from bank.celery import app as celery_app

__all__ = ["celery_app"]
