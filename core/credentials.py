"""Names and passwords, as everybody who signs in gives them: customers in the API, staff in the back office."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db.models import Value
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from core.errors import NotAuthenticatedError
from core.limits import FailureLimit
from core.models import User


class WrongCredentialsError(NotAuthenticatedError):
    """The name is unknown, the password wrong or the user inactive: they look alike, and take as long."""

    message = "The username or the password is wrong."


def check_credentials(*, username: str, password: str, source: str, staff_only: bool = False) -> User:
    """Return the active user with this name and password. See Note [Guesses in parallel].

    Failures are counted together wherever they happen, so that a second door gives nobody more guesses. With
    `staff_only`, the right password of a customer is a failure like any other.

    Raises WrongCredentialsError, and RateLimitedError after too many failures for the user or from `source`.
    """
    user = _find_user(username)
    limits = _limit_failures(user=user, username=username, source=source)
    for limit in limits:
        limit.check()
    # Somebody unknown is checked against a hash that no password has, which takes as long.
    is_right = (user or User(password=make_password(None))).check_password(password)
    if user is None or not is_right or not user.is_active or (staff_only and not user.is_staff):
        for limit in limits:
            limit.count_failure()
        raise WrongCredentialsError
    for limit in limits:
        limit.check()
    return user


def check_code(*, user: User, source: str, accept: Callable[[], bool]) -> bool:
    """Return what `accept` says of a second factor, under the limits of passwords and one of each day.

    Who is asked for a code has given the right password. So a wrong one weighs more: of the codes of six digits, as
    many as ten a minute would find one in a few weeks.

    Raises RateLimitedError after too many failures for the user or from `source`.
    """
    limits = _limit_failures(user=user, username=user.username, source=source)
    limits.append(FailureLimit(kind="code-account", subject=str(user.pk), per_day=settings.FAILED_CODES_PER_DAY))
    for limit in limits:
        limit.check()
    if not accept():
        for limit in limits:
            limit.count_failure()
        return False
    for limit in limits:
        limit.check()
    return True


def _find_user(username: str) -> User | None:
    name = Lower(Value(User.normalize_username(username)))
    return User.objects.alias(folded=Lower("username")).filter(folded=name).first()


def _limit_failures(*, user: User | None, username: str, source: str) -> list[FailureLimit]:
    """Return the limits of the account and of the source; an unknown name counts like an account."""
    account = str(user.pk) if user else _veil_name(username)
    return [
        FailureLimit(kind="sign-in-account", subject=account, per_minute=settings.FAILED_SIGN_INS_PER_ACCOUNT),
        FailureLimit(kind="sign-in-source", subject=source, per_minute=settings.FAILED_SIGN_INS_PER_SOURCE),
    ]


def _veil_name(username: str) -> str:
    """Return what an unknown name is counted under: no hash that whoever reads Redis could find the name by."""
    name = User.normalize_username(username).lower()
    return salted_hmac("core.credentials", name, algorithm="sha256").hexdigest()
