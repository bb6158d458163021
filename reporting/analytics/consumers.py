"""What this app does with messages from Kafka: it adds them up in memory, so that a batch writes a row once."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date

from django.utils import timezone

from events.catalogue.accounts import AccountBalanceUpdated, AccountCreated, AccountInactivated
from events.catalogue.customers import CustomerCreated
from events.catalogue.others import AnalyticsEvent
from events.catalogue.transactions import TransactionCompleted, TransactionFailed
from events.groups import Handler
from events.messages import Message, read_data
from reporting.analytics import services
from reporting.analytics.rows import AccountFacts, Activity, Failures, Metric, StandingFacts, Volume
from reporting.analytics.states import Standing


def count_completed(messages: Sequence[Message]) -> None:
    """Count transfers and what they moved, and who ordered them: the key is the account they were ordered over."""
    transfers: Counter[tuple[date, str, str]] = Counter()
    amounts: Counter[tuple[date, str, str]] = Counter()
    for message in messages:
        told = read_data(message, TransactionCompleted)
        key = get_day(message), told.currency, told.kind
        transfers[key] += 1
        amounts[key] += told.amount
    orders = {(get_day(message), message.subject) for message in messages}
    services.add_transfers(
        volumes=[Volume(*key, count, amounts[key]) for key, count in transfers.items()],
        activity=[Activity(*order) for order in orders],
    )


def count_failed(messages: Sequence[Message]) -> None:
    """Count transfers by why they failed."""
    counts = Counter((get_day(message), read_data(message, TransactionFailed).failure_code) for message in messages)
    services.add_failures(failures=[Failures(*key, count) for key, count in counts.items()])


def add_metrics(messages: Sequence[Message]) -> None:
    """Add up product metrics."""
    values: Counter[tuple[date, str]] = Counter()
    for message in messages:
        told = read_data(message, AnalyticsEvent)
        values[get_day(message), told.name] += told.value
    services.add_metrics(metrics=[Metric(*key, value) for key, value in values.items()])


def keep_opened(messages: Sequence[Message]) -> None:
    """Keep of what product new accounts are."""
    told = [read_data(message, AccountCreated) for message in messages]
    _keep_accounts(AccountFacts(each.account, kind=each.kind, currency=each.currency) for each in told)


def keep_closed(messages: Sequence[Message]) -> None:
    """Keep which accounts are no more."""
    _keep_accounts(AccountFacts(read_data(message, AccountInactivated).account, is_closed=1) for message in messages)


def keep_balances(messages: Sequence[Message]) -> None:
    """Keep what is booked on accounts."""
    told = [read_data(message, AccountBalanceUpdated) for message in messages]
    _keep_accounts(
        AccountFacts(each.account, currency=each.currency, booked=each.booked, version=each.version) for each in told
    )


def _keep_accounts(facts: Iterable[AccountFacts]) -> None:
    """Keep of each account the newest that one topic tells: a statement cannot change a row twice."""
    newest = {each.account_id: each for each in sorted(facts, key=lambda each: each.version)}
    services.keep_accounts(facts=list(newest.values()))


def _keep_standing(get_status: Callable[[Message], str]) -> Handler:
    """Return the handler of a topic after whose messages clients stand as `get_status` says."""

    def keep(messages: Sequence[Message]) -> None:
        services.keep_standings(
            facts=[
                StandingFacts(message.subject, message.sequence, get_day(message), get_status(message))
                for message in messages
            ]
        )

    return keep


def get_day(message: Message) -> date:
    """Return the day of a message, as days are counted where the bank is."""
    return timezone.localdate(message.time, timezone=timezone.get_default_timezone())


ANALYTICS: dict[str, Handler] = {
    "transaction.completed": count_completed,
    "transaction.failed": count_failed,
    "account.created": keep_opened,
    "account.inactivated": keep_closed,
    "account.balance.updated": keep_balances,
    "customer.created": _keep_standing(lambda message: read_data(message, CustomerCreated).kyc_status),
    "customer.in_review": _keep_standing(lambda message: Standing.IN_REVIEW.value),
    "customer.verified": _keep_standing(lambda message: Standing.VERIFIED.value),
    "customer.rejected": _keep_standing(lambda message: Standing.REJECTED.value),
    "customer.inactivated": _keep_standing(lambda message: Standing.INACTIVE.value),
    "analytics.event": add_metrics,
}
