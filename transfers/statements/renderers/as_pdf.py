"""A statement as pages to print and to keep."""

from collections.abc import Sequence
from datetime import date
from typing import IO, NamedTuple

from django.conf import settings
from django.utils import timezone
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from accounts.states import CreditDebit
from core.money import format_amount
from transfers.statements.renderers.letters import BOLD, REGULAR, measure, spell, wrap
from transfers.statements.selectors import Entry, Statement

_WIDTH, _HEIGHT = A4
_LEFT, _RIGHT = 18 * mm, _WIDTH - 18 * mm
_TOP, _BOTTOM = _HEIGHT - 18 * mm, 24 * mm
_TEXT_LEFT = _LEFT + 24 * mm
_AMOUNT_RIGHT, _BALANCE_RIGHT = _RIGHT - 34 * mm, _RIGHT - 2 * mm
_TEXT_WIDTH = _AMOUNT_RIGHT - 34 * mm - _TEXT_LEFT

_SIZE, _SMALL, _LINE, _PADDING = 8.5, 7.5, 11.0, 4.5

_ACCENT, _INK, _QUIET = HexColor("#1a5158"), HexColor("#1f2933"), HexColor("#66727f")
_RULE, _BAND = HexColor("#d5dde3"), HexColor("#eef6f6")

_TOTAL_PAGES = "total-pages"
"""A drawing that each page refers to, and that is only made once all of them are."""


def write_pdf(*, statement: Statement, out: IO[bytes]) -> None:
    """Write the document."""
    sheet = _Sheet(statement, out)
    sheet.begin()
    for entry in statement.read_entries():
        sheet.add(_make_block(entry, statement.currency))
    sheet.end()


class _Block(NamedTuple):
    """A row of the table: its text in lines, each with its colour."""

    day: str
    lines: Sequence[tuple[str, Color]]
    amount: str
    balance: str

    @property
    def height(self) -> float:
        return _LINE * len(self.lines) + 2 * _PADDING


def _make_block(entry: Entry, currency: str) -> _Block:
    sign = "+" if entry.direction == CreditDebit.CREDIT else "-"
    return _Block(
        day=_show_day(entry.booking_date),
        lines=[
            (line, _QUIET if number else _INK)
            for number, text in enumerate(_list_texts(entry))
            for line in wrap(spell(text), size=_SIZE, width=_TEXT_WIDTH)
        ],
        amount=f"{sign}{_show(entry.amount, currency)}",
        balance=_show(entry.balance_after, currency),
    )


def _list_texts(entry: Entry) -> list[str]:
    party = entry.counterparty
    texts = [f"{entry.kind.label}: {party.name}" if party else str(entry.kind.label)]
    if party and party.number:
        texts.append(f"Account {party.number}")
    if entry.remittance_information:
        texts.append(entry.remittance_information)
    if entry.value_date != entry.booking_date:
        texts.append(f"Value date {_show_day(entry.value_date)}")
    return texts


class _Sheet:
    """The pages, filled from above; `_y` is how far down the current one is filled."""

    def __init__(self, statement: Statement, out: IO[bytes]) -> None:
        self._statement = statement
        self._canvas = Canvas(out, pagesize=A4, pageCompression=1, lang="en")
        self._canvas.setTitle(f"Account statement {statement.account.number}")
        self._canvas.setAuthor(spell(settings.BANK_NAME))
        self._y = _TOP

    def begin(self) -> None:
        """Draw the head of the first page."""
        self._draw_letterhead()
        self._draw_facts()
        self._draw_summary()
        self._draw_headings()
        if not self._statement.credits.entries + self._statement.debits.entries:
            self._y -= 2 * _LINE
            self._write(_LEFT + 2 * mm, "Nothing was booked in this period.", colour=_QUIET)

    def add(self, block: _Block) -> None:
        """Draw a row, on a new page if this one is full."""
        if self._y - block.height < _BOTTOM:
            self._turn()
        y = self._y - _PADDING - _SIZE
        self._write(_LEFT + 2 * mm, block.day, y=y)
        for number, (line, colour) in enumerate(block.lines):
            self._write(_TEXT_LEFT, line, y=y - number * _LINE, colour=colour)
        self._write(_AMOUNT_RIGHT, block.amount, y=y, is_right=True)
        self._write(_BALANCE_RIGHT, block.balance, y=y, is_right=True)
        self._y -= block.height
        self._rule(self._y)

    def end(self) -> None:
        """Close the last page, and tell all of them how many there are."""
        self._draw_footer()
        total = self._canvas.getPageNumber()
        self._canvas.showPage()
        self._canvas.beginForm(_TOTAL_PAGES, 0, 0, 20 * mm, 5 * mm)
        self._canvas.setFont(REGULAR, _SMALL)
        self._canvas.setFillColor(_QUIET)
        self._canvas.drawString(0, 1 * mm, str(total))
        self._canvas.endForm()
        self._canvas.save()

    def _turn(self) -> None:
        self._draw_footer()
        self._canvas.showPage()
        self._y = _TOP
        self._write(_LEFT, spell(settings.BANK_NAME), font=BOLD, size=10, colour=_ACCENT)
        self._write(_RIGHT, f"{self._statement.account.number}, {self._name_period()}", colour=_QUIET, is_right=True)
        self._y -= 5 * mm
        self._draw_headings()

    def _draw_letterhead(self) -> None:
        self._y -= 12
        self._write(_LEFT, spell(settings.BANK_NAME), font=BOLD, size=18, colour=_ACCENT)
        self._write(_RIGHT, "Account statement", size=14, is_right=True)
        self._y -= 12
        self._write(_RIGHT, self._name_period(), size=_SIZE, colour=_QUIET, is_right=True)
        self._y -= 8
        self._canvas.setStrokeColor(_ACCENT)
        self._canvas.setLineWidth(1.2)
        self._canvas.line(_LEFT, self._y, _RIGHT, self._y)

    def _draw_facts(self) -> None:
        """Name the holder and the account."""
        account = self._statement.account
        made_at = timezone.localtime(self._statement.made_at, timezone.get_default_timezone())
        facts = [
            ("Holder", spell(self._statement.holder)),
            ("Account", f"{account.number} ({account.get_kind_display().lower()})"),
            ("Currency", account.currency),
            ("Made", f"{made_at:%d %b %Y, %H:%M %Z}{'' if self._statement.is_final else ' - not final yet'}"),
        ]
        self._y -= 8
        for name, fact in facts:
            for number, line in enumerate(wrap(fact, size=_SIZE, width=_RIGHT - _TEXT_LEFT)):
                self._y -= 13
                self._write(_TEXT_LEFT, line)
                if number == 0:
                    self._write(_LEFT, name, colour=_QUIET)

    def _draw_summary(self) -> None:
        """Draw a band: opening, credits, debits, closing."""
        statement, height = self._statement, 36
        figures = [
            ("Opening balance", _show(statement.opening, statement.currency)),
            (f"Credits ({statement.credits.entries})", f"+{_show(statement.credits.amount, statement.currency)}"),
            (f"Debits ({statement.debits.entries})", f"-{_show(statement.debits.amount, statement.currency)}"),
            ("Closing balance", _show(statement.closing, statement.currency)),
        ]
        self._y -= 12 + height
        self._canvas.setFillColor(_BAND)
        self._canvas.roundRect(_LEFT, self._y, _RIGHT - _LEFT, height, 4, stroke=0, fill=1)
        step = (_RIGHT - _LEFT) / len(figures)
        for number, (name, figure) in enumerate(figures):
            left = _LEFT + number * step + 3 * mm
            self._write(left, name, y=self._y + height - 13, size=_SMALL, colour=_QUIET)
            self._write(left, figure, y=self._y + 9, font=BOLD, size=_fit(figure, step - 5 * mm))
        self._y -= 12

    def _draw_headings(self) -> None:
        self._y -= 10
        for x, heading, is_right in (
            (_LEFT + 2 * mm, "Booked", False),
            (_TEXT_LEFT, "Entry", False),
            (_AMOUNT_RIGHT, "Amount", True),
            (_BALANCE_RIGHT, "Balance", True),
        ):
            self._write(x, heading, font=BOLD, size=_SMALL, colour=_ACCENT, is_right=is_right)
        self._y -= 5
        self._rule(self._y)

    def _draw_footer(self) -> None:
        y = 12 * mm
        self._rule(y + 4 * mm)
        note = f"{spell(settings.BANK_NAME)}. Amounts in {self._statement.currency}. Days are those of the bank"
        self._write(_LEFT, f"{note} ({settings.TIME_ZONE}).", y=y, size=_SMALL, colour=_QUIET)
        left = _RIGHT - 5 * mm
        self._write(left, f"Page {self._canvas.getPageNumber()} of ", y=y, size=_SMALL, colour=_QUIET, is_right=True)
        self._canvas.saveState()
        self._canvas.translate(left, y - 1 * mm)
        self._canvas.doForm(_TOTAL_PAGES)
        self._canvas.restoreState()

    def _name_period(self) -> str:
        period = self._statement.period
        return f"{_show_day(period.first_date)} to {_show_day(period.last_date)}"

    def _write(
        self,
        x: float,
        text: str,
        *,
        y: float | None = None,
        font: str = REGULAR,
        size: float = _SIZE,
        colour: Color = _INK,
        is_right: bool = False,
    ) -> None:
        """Write a line that begins at `x`, or ends there, at the height of `y` or where the page is filled to."""
        self._canvas.setFont(font, size)
        self._canvas.setFillColor(colour)
        draw = self._canvas.drawRightString if is_right else self._canvas.drawString
        draw(x, self._y if y is None else y, text)

    def _rule(self, y: float) -> None:
        self._canvas.setStrokeColor(_RULE)
        self._canvas.setLineWidth(0.5)
        self._canvas.line(_LEFT, y, _RIGHT, y)


def _fit(text: str, width: float) -> float:
    """Return the size, 11 points at most, at which `text` in bold is no wider than `width`."""
    return min(11.0, 11.0 * width / measure(text, font=BOLD, size=11.0))


def _show(amount: int, currency: str) -> str:
    """Return the amount with a space between thousands, which nobody takes for a decimal sign."""
    whole, point, fraction = format_amount(abs(amount), currency).partition(".")
    spaced = f"{int(whole):,}".replace(",", "\u00a0")
    return f"{'-' if amount < 0 else ''}{spaced}{point}{fraction}"


def _show_day(day: date) -> str:
    return f"{day:%d %b %Y}"
