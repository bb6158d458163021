"""How an effect is shown to whoever requests or approves it, in the reader's language."""

from django.utils.translation import gettext

from approvals.operations import Effect, Said
from core.admin.cells import NOTHING, show_amount
from core.admin.tables import Amount, Table


def list_effect_tables(effect: Effect) -> list[Table]:
    """Return what an operation would do as tables: in words, before and after, in debits and credits."""
    tables = [
        Table(
            title=gettext("Effect"),
            headings=(gettext("What happens"),),
            rows=[(_say(each),) for each in effect.sentences],
            empty="",
        )
    ]
    if effect.changes:
        rows = [
            (gettext(change.name), gettext(change.before) or NOTHING, gettext(change.after) or NOTHING)
            for change in effect.changes
        ]
        tables.append(
            Table(
                title=gettext("Before and after"),
                headings=(gettext("What"), gettext("Before"), gettext("After")),
                rows=rows,
                empty="",
            )
        )
    if effect.lines:
        tables.append(_make_lines(effect))
    return tables


def _make_lines(effect: Effect) -> Table:
    return Table(
        title=gettext("Debits and credits"),
        headings=(gettext("Account"), Amount(gettext("Debit")), Amount(gettext("Credit"))),
        rows=[
            (
                line.account,
                show_amount(line.debit or None, line.currency),
                show_amount(line.credit or None, line.currency),
            )
            for line in effect.lines
        ],
        empty="",
        help=gettext("What will be booked. Both sides are equal in each currency."),
    )


def _say(sentence: Said | str) -> str:
    """Return a sentence; one of the time before `Said` stays as it was kept."""
    if isinstance(sentence, str):
        return sentence
    values = {name: gettext(value) for name, value in sentence.values.items()}
    return gettext(sentence.text) % values
