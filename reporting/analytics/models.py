"""Projections: figures that follow the events, in the bank's time zone and in minor units.

# Note [Projections]
The group `analytics` keeps them, in the transaction that notes its messages in the inbox. So a count grows once for
each message, however often it comes; what is no count (a balance, a client's standing) is kept by the version of its
account or by the number of its event. Neither asks in which order messages come. All of it can be emptied
(`reset_projections`) and told again from the events; no decision about money or clients is taken on it.
A row of a day is touched by everything that happens on that day, so each batch of messages adds to it once.

# Note [Who was active]
That a client moved money on a day is a row of its own, and the day counts the rows that were new: exact, in any order,
and read by one look-up. A bitmap a day would be smaller, but needs clients numbered without gaps, and would be
rewritten as a whole, under one lock, by each batch.
"""

from django.db import models


class DailyVolume(models.Model):
    """What completed transfers of a kind moved on a day."""

    pk = models.CompositePrimaryKey("day", "currency", "kind")
    day = models.DateField()
    currency = models.CharField(max_length=3)
    kind = models.CharField(max_length=10)
    transfers = models.BigIntegerField()
    amount = models.DecimalField(max_digits=38, decimal_places=0, help_text="Minor units; a sum may exceed a BIGINT.")


class DailyFailure(models.Model):
    """How many transfers failed on a day, and why."""

    pk = models.CompositePrimaryKey("day", "failure_code")
    day = models.DateField()
    failure_code = models.CharField(max_length=32)
    transfers = models.BigIntegerField()


class ActiveClient(models.Model):
    """A client who moved money on a day: over whose account a transfer was ordered that was made."""

    pk = models.CompositePrimaryKey("day", "client_id")
    day = models.DateField()
    client_id = models.UUIDField()


class DailyActivity(models.Model):
    """How many clients moved money on a day."""

    day = models.DateField(primary_key=True)
    clients = models.BigIntegerField()


class ProductAccount(models.Model):
    """What messages have told of an account so far; those of different topics may come in any order."""

    account_id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=8, blank=True, help_text="Empty until it was told that the account was opened.")
    currency = models.CharField(max_length=3, blank=True)
    is_closed = models.BooleanField()
    booked = models.BigIntegerField(help_text="Minor units.")
    version = models.BigIntegerField(help_text="That of the balance.")


class ProductBalance(models.Model):
    """The sums over the accounts of a product in a currency."""

    pk = models.CompositePrimaryKey("kind", "currency")
    kind = models.CharField(max_length=8)
    currency = models.CharField(max_length=3)
    accounts = models.BigIntegerField(help_text="Those that are not inactive.")
    booked = models.DecimalField(max_digits=38, decimal_places=0, help_text="Minor units.")


class ClientStanding(models.Model):
    """What became of a client with an event: the status of its KYC, or that it left."""

    pk = models.CompositePrimaryKey("client_id", "sequence")
    client_id = models.UUIDField()
    sequence = models.BigIntegerField(help_text="The event's number, which orders them.")
    day = models.DateField()
    status = models.CharField(max_length=9)


class DailyStanding(models.Model):
    """By how much the number of clients of a status changed on a day; the sum up to a day is how many there were."""

    pk = models.CompositePrimaryKey("day", "status")
    day = models.DateField()
    status = models.CharField(max_length=9)
    change = models.BigIntegerField()


class DailyMetric(models.Model):
    """A product metric: the sum of its values on a day."""

    pk = models.CompositePrimaryKey("day", "name")
    day = models.DateField()
    name = models.CharField(max_length=64)
    value = models.DecimalField(max_digits=38, decimal_places=0)


PROJECTIONS: tuple[type[models.Model], ...] = (
    DailyVolume,
    DailyFailure,
    ActiveClient,
    DailyActivity,
    ProductAccount,
    ProductBalance,
    ClientStanding,
    DailyStanding,
    DailyMetric,
)
