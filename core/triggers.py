"""Rules that PostgreSQL itself keeps: declared on the models, installed by migrations, the same for raw SQL.

Triggers refuse and never compute. They raise SQLSTATE 23514 with a constraint name, so Django sees an
IntegrityError that `core.db.named_violations` can name.
"""

from collections.abc import Iterable, Mapping, Sequence

import pgtrigger
from django.db.models import BooleanField, CheckConstraint
from django.db.models.expressions import RawSQL


def refuse(*, constraint: str, message: str) -> str:
    """Return the PL/pgSQL statement that refuses the write."""
    return f"RAISE EXCEPTION '{message}' USING ERRCODE = '23514', CONSTRAINT = '{constraint}';"


def check_sql(name: str, sql: str) -> CheckConstraint:
    """Return a CHECK in SQL: shorter to read than nested Q objects, and quicker, as it is parsed at each statement.

    As in any CHECK, NULL passes.
    """
    return CheckConstraint(name=name, condition=RawSQL(sql, (), output_field=BooleanField()))  # noqa: S611


def append_only(*, table: str) -> pgtrigger.Trigger:
    """Return a trigger that refuses to change, delete or truncate rows of `table`, for every role."""
    return pgtrigger.Trigger(
        name="append_only",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate,
        func=refuse(constraint=f"{table}_append_only", message=f"{table} is append-only"),
    )


def never_deleted(*, table: str) -> pgtrigger.Trigger:
    """Return a trigger that refuses to delete or truncate rows of `table`, for every role."""
    return pgtrigger.Trigger(
        name="never_deleted",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Delete | pgtrigger.Truncate,
        func=refuse(constraint=f"{table}_never_deleted", message=f"rows of {table} are never deleted"),
    )


def never_changed(*, table: str, fields: Sequence[str]) -> pgtrigger.Trigger:
    """Return a trigger that refuses every update that names one of `fields`; other updates do not even meet it."""
    return pgtrigger.Trigger(
        name="never_changed",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.UpdateOf(*fields),
        func=refuse(constraint=f"{table}_never_changed", message=f"{', '.join(fields)} of {table} never change"),
    )


def fixed_while(*, table: str, field: str, state_field: str, state: str) -> pgtrigger.Trigger:
    """Return a trigger that lets `field` not change while `state_field` is `state` and stays so."""
    func = f"""
        IF OLD.{field} <> NEW.{field} AND OLD.{state_field} = '{state}' AND NEW.{state_field} = '{state}' THEN
            {refuse(constraint=f"{table}_fixed_{field}", message=f"{table}: {field} is fixed while {state}")}
        END IF;
        RETURN NEW;
    """
    return pgtrigger.Trigger(
        name=f"fixed_{field}",
        level=pgtrigger.Row,
        when=pgtrigger.Before,
        operation=pgtrigger.UpdateOf(field),
        func=func,
    )


def frozen_once(*, table: str, condition: str, fields: Sequence[str] = ()) -> pgtrigger.Trigger:
    """Return a trigger that refuses to change a row once `condition`, SQL over OLD and NEW, holds.

    With `fields`, only updates that name one of them; others do not even meet it. It is an AFTER trigger, as a BEFORE
    trigger would lock each row anew, also for the updates that it lets pass.
    """
    return pgtrigger.Trigger(
        name="frozen_once",
        level=pgtrigger.Row,
        when=pgtrigger.After,
        operation=pgtrigger.UpdateOf(*fields) if fields else pgtrigger.Update,
        condition=pgtrigger.Condition(condition),
        func=refuse(constraint=f"{table}_frozen_once", message=f"this row of {table} is final"),
    )


def legal_states(*, table: str, field: str, transitions: Mapping[str, Iterable[str]]) -> pgtrigger.Trigger:
    """Return a trigger that lets `field` only take a step named in `transitions`; see also `born_in`."""
    steps = ", ".join(f"'{old}>{new}'" for old, news in transitions.items() for new in news)
    func = f"""
        IF OLD.{field} <> NEW.{field} AND OLD.{field} || '>' || NEW.{field} NOT IN ({steps}) THEN
            {refuse(constraint=f"{table}_legal_{field}", message=f"{table}: illegal step of {field}")}
        END IF;
        RETURN NEW;
    """
    return pgtrigger.Trigger(
        name=f"legal_{field}",
        level=pgtrigger.Row,
        when=pgtrigger.Before,
        operation=pgtrigger.UpdateOf(field),
        func=func,
    )


def born_in(*, table: str, field: str, state: str, or_state: str = "") -> pgtrigger.Trigger:
    """Return a trigger that lets rows only begin with `state` (or `or_state`) in `field`: no step is passed over.

    Not for the tables of the hot path, which have a CHECK of their other columns instead: it costs each insert.
    """
    states = [state, or_state] if or_state else [state]
    return pgtrigger.Trigger(
        name=f"born_{field}",
        level=pgtrigger.Row,
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        condition=pgtrigger.Condition(" AND ".join(f"NEW.{field} <> '{each}'" for each in states)),
        func=refuse(constraint=f"{table}_born_{field}", message=f"a row of {table} begins as {' or '.join(states)}"),
    )
