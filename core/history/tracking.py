"""Tables that keep a history: a trigger writes a row of it for each change, whoever makes it and by whatever SQL.

Note [What a history keeps]
A history is never changed, so it holds nothing that must one day be erased or encrypted anew: no personal data in
clear, no ciphertext and no password. Of a *masked* column it keeps the first letter of each word, of an *unkept* one
nothing; that they changed stands in `pgh_changed`. A change of *ignored* columns alone leaves no row: they have another
record, or change with each sign-in. Columns added to a table later are kept, unless its declaration says otherwise.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

import pghistory
import pghistory.trigger
import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from pghistory.models import Event

from core.triggers import append_only

AnyModel = TypeVar("AnyModel", bound=type[models.Model])

MADE, CHANGED, DELETED = "made", "changed", "deleted"
_ORIGIN = "NULLIF(current_setting('pghistory.context_metadata', true), '')::jsonb"
_MASK = "regexp_replace({row}.\"{column}\", '([[:alnum:]])[[:alnum:]]*', '\\1***', 'g')"

histories: dict[type[models.Model], Any] = {}
"""The history of each model that keeps one: a subclass of `History` with columns of the model."""


class History(Event):
    """What every row of a history has, besides the columns of the row that changed as they were afterwards.

    `pgh_context` says on whose behalf the program worked (core/history/origin.py); it is None for SQL by hand.
    """

    pgh_masked: ClassVar[tuple[str, ...]]
    pgh_watched: ClassVar[tuple[str, ...]]
    pgh_begins_with_change: ClassVar[bool]
    pgh_id = models.BigAutoField(primary_key=True)
    pgh_created_at = models.DateTimeField()
    pgh_changed = ArrayField(models.TextField(), null=True, help_text="Which columns; None for a row made or deleted.")
    pgh_user_id = models.BigIntegerField(null=True, help_text="On whose behalf.")

    class Meta:
        """Each table that keeps a history gets one of its own."""

        abstract = True


def keep_history(
    *,
    masked: Sequence[str] = (),
    unkept: Sequence[str] = (),
    ignored: Sequence[str] = (),
    found_by: Sequence[str] = (),
    begins_with_change: bool = False,
    app_label: str = "",
) -> Callable[[AnyModel], AnyModel]:
    """Let the decorated model keep a history; see Note [What a history keeps] for the columns.

    `found_by` are columns besides the row's id by which its history is looked for. With `begins_with_change`, a new
    row writes nothing: for tables of the hot path, whose rows have an event from the start.
    """

    def decorate(model: AnyModel) -> AnyModel:
        app = app_label or model._meta.app_label
        name = f"{model._meta.object_name}History"
        columns = [field.name for field in model._meta.concrete_model._meta.local_fields]  # type: ignore[union-attr]
        watched = [column for column in columns if column not in ignored]
        trackers = [_Tracker(CHANGED, pgtrigger.Update, condition=pgtrigger.AnyChange(*watched))]
        if "never_deleted" not in {trigger.name for trigger in getattr(model._meta, "triggers", ())}:
            trackers.append(_Tracker(DELETED, pgtrigger.Delete, row="OLD"))
        if not begins_with_change:
            trackers.append(_Tracker(MADE, pgtrigger.Insert))
        pghistory.track(
            *trackers,
            exclude=[*masked, *unkept, *ignored],
            app_label=app,
            base_model=History,
            model_name=name,
            obj_field=pghistory.ObjForeignKey(related_name="+", db_index=False),
            context_field=pghistory.ContextJSONField(),
            context_id_field=None,  # type: ignore[arg-type]  # as its documentation has it
            attrs={column: models.TextField(null=True) for column in masked}
            | {
                "pgh_begins_with_change": begins_with_change,
                "pgh_masked": tuple(masked),
                "pgh_watched": tuple(watched),
            },
            meta={
                "default_permissions": (),
                "triggers": [append_only(table=f"{app}_{name.lower()}")],
                "indexes": [
                    models.Index(fields=[column, "-pgh_id"], name=_name_index(app, model, column))
                    for column in ("pgh_obj", "pgh_user_id", *found_by)
                ],
            },
        )(model)
        histories[model] = model.pgh_event_model  # type: ignore[attr-defined]
        return model

    return decorate


def _name_index(app: str, model: type[models.Model], column: str) -> str:
    """Return a name of at most 30 characters."""
    name = str(model._meta.model_name)[:14]
    return f"{app[:5]}_{name}_{column.removeprefix('pgh_')[:7]}_h"


class _Tracker(pghistory.RowEvent):
    """Lets a trigger of ours write the history."""

    def __init__(self, label: str, operation: Any, *, row: str = "NEW", condition: Any = None) -> None:
        super().__init__(label, operation=operation, row=row, condition=condition, trigger_name=f"history_{label}")

    def add_event_trigger(self, event_model: type[History]) -> None:
        """Install it with the migrations of the tracked model."""
        trigger = _HistoryTrigger(
            event_model=event_model,
            label=self.label,
            name=self.trigger_name,
            row=self.row,
            operation=self.operation,
            condition=self.condition,
        )
        pgtrigger.register(trigger)(event_model.pgh_tracked_model)


class _HistoryTrigger(pghistory.trigger.Event):
    """Writes a row of a history: masked, with what changed, and with the moment at which it did."""

    def get_func(self, model: Any) -> pgtrigger.Func:
        """Return the body in PL/pgSQL."""
        history: Any = self.event_model
        concrete = model._meta.concrete_model or model
        kept = get_kept_sql(model=model, row=str(self.row), history=history)
        values = {f'"{column}"': sql for column, sql in kept.items()}
        values["pgh_created_at"] = "clock_timestamp()"
        values["pgh_label"] = f"'{self.label}'"
        values["pgh_obj_id"] = f'{self.row}."{concrete._meta.pk.column}"'
        values["pgh_context"] = _ORIGIN
        values["pgh_user_id"] = f"({_ORIGIN}->>'user')::bigint"
        values["pgh_changed"] = _list_changed(concrete, history.pgh_watched) if self.label == CHANGED else "NULL"
        table = history._meta.db_table
        write = f'INSERT INTO "{table}" ({", ".join(values)}) VALUES ({", ".join(values.values())})'  # noqa: S608
        return pgtrigger.Func(f"{write}; RETURN NULL;")


def get_kept_sql(*, model: type[models.Model], row: str, history: Any = None) -> dict[str, str]:
    """Return, for each column that is kept, SQL for what its history says of it when `row` is the row."""
    history = history or histories[model]
    names = {field.name for field in history._meta.fields}
    fields = (model._meta.concrete_model or model)._meta.local_fields
    return {
        str(field.column): (_MASK if field.name in history.pgh_masked else '{row}."{column}"').format(
            row=row, column=field.column
        )
        for field in fields
        if field.name in names
    }


def _list_changed(model: type[models.Model], watched: Sequence[str]) -> str:
    """Return SQL for the names of the watched columns of which OLD and NEW differ."""
    columns = [str(field.column) for field in model._meta.local_fields if field.name in watched]
    names = ", ".join(
        f'CASE WHEN OLD."{column}" IS DISTINCT FROM NEW."{column}" THEN \'{column}\' END' for column in columns
    )
    return f"array_remove(ARRAY[{names}], NULL)"
