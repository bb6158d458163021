"""A payment as pacs.008.001.08, the customer credit transfer between banks."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from pyiso20022.pacs import pacs_008_001_08 as pacs
from xsdata.models.datatype import XmlDate, XmlDateTime

from core.money import format_amount
from transfers.payments.creditors import Creditor
from transfers.rails.iso20022.documents import write_document
from transfers.rails.iso20022.texts import clean_text


class CreditTransfer(NamedTuple):
    """What the rail is told of a payment. `amount` is in minor units, `debtor_bank` the code of our own bank."""

    payment_id: UUID
    uetr: UUID
    amount: int
    currency: str
    debtor_name: str
    debtor_number: str
    debtor_bank: str
    creditor: Creditor
    remittance_information: str
    made_at: datetime


def make_message_id(*, payment_id: UUID) -> str:
    """Return the message id under which a payment goes out, however often; a hyphen more would be too many."""
    return payment_id.hex


def build_credit_transfer(*, order: CreditTransfer) -> bytes:
    """Return the message. Raises InvalidMessageError if the payment cannot be said in it."""
    made_at = order.made_at.astimezone(UTC)
    header = pacs.GroupHeader93(
        msg_id=make_message_id(payment_id=order.payment_id),
        cre_dt_tm=XmlDateTime.from_datetime(made_at.replace(microsecond=0)),
        nb_of_txs="1",
        sttlm_inf=pacs.SettlementInstruction7(sttlm_mtd=pacs.SettlementMethod1Code.CLRG),
    )
    body = pacs.FitoFicustomerCreditTransferV08(grp_hdr=header, cdt_trf_tx_inf=[_build_transaction(order, made_at)])
    return write_document(document=pacs.Document(fito_ficstmr_cdt_trf=body))


def _build_transaction(order: CreditTransfer, made_at: datetime) -> pacs.CreditTransferTransaction39:
    name = make_message_id(payment_id=order.payment_id)
    text = clean_text(order.remittance_information)
    return pacs.CreditTransferTransaction39(
        pmt_id=pacs.PaymentIdentification7(end_to_end_id=name, tx_id=name, uetr=str(order.uetr)),
        intr_bk_sttlm_amt=pacs.ActiveCurrencyAndAmount(
            value=Decimal(format_amount(order.amount, order.currency)), ccy=order.currency
        ),
        intr_bk_sttlm_dt=XmlDate.from_date(made_at.date()),
        chrg_br=pacs.ChargeBearerType1Code.SLEV,
        dbtr=pacs.PartyIdentification135(nm=clean_text(order.debtor_name)[:140]),
        dbtr_acct=_build_other_account(order.debtor_number),
        dbtr_agt=_build_member(order.debtor_bank),
        cdtr_agt=_build_creditor_agent(order.creditor),
        cdtr=pacs.PartyIdentification135(nm=clean_text(order.creditor.name)),
        cdtr_acct=_build_creditor_account(order.creditor),
        rmt_inf=pacs.RemittanceInformation16(ustrd=[text]) if text else None,
    )


def _build_creditor_account(creditor: Creditor) -> pacs.CashAccount38:
    if creditor.iban is not None:
        return pacs.CashAccount38(id=pacs.AccountIdentification4Choice(iban=creditor.iban))
    return _build_other_account(creditor.account or "")


def _build_other_account(number: str) -> pacs.CashAccount38:
    other = pacs.GenericAccountIdentification1(id=number)
    return pacs.CashAccount38(id=pacs.AccountIdentification4Choice(othr=other))


def _build_creditor_agent(creditor: Creditor) -> pacs.BranchAndFinancialInstitutionIdentification6:
    """Return the creditor's bank; an IBAN says by itself which it is."""
    if creditor.iban is not None:
        other = pacs.GenericFinancialIdentification1(id="NOTPROVIDED")
        institution = pacs.FinancialInstitutionIdentification18(othr=other)
        return pacs.BranchAndFinancialInstitutionIdentification6(fin_instn_id=institution)
    agent = _build_member(creditor.bank)
    agent.brnch_id = pacs.BranchData3(id=creditor.branch)
    return agent


def _build_member(code: str) -> pacs.BranchAndFinancialInstitutionIdentification6:
    """Return a bank by its code in the clearing system."""
    member = pacs.ClearingSystemMemberIdentification2(mmb_id=code)
    institution = pacs.FinancialInstitutionIdentification18(clr_sys_mmb_id=member)
    return pacs.BranchAndFinancialInstitutionIdentification6(fin_instn_id=institution)
