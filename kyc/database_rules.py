"""What PostgreSQL itself asks of a case before its client is verified, whoever writes."""

import pgtrigger

from core.triggers import refuse

_LAST_SCREENING = "(SELECT id FROM kyc_screening WHERE client_id = NEW.client_id ORDER BY id DESC LIMIT 1)"


def verified_by_the_rules() -> pgtrigger.Trigger:
    """Return the trigger that refuses to verify a client whose risk is not assessed, who was not screened since the
    last change, or who may be, or is, on a list.
    """
    func = f"""
        IF NEW.risk = '' THEN
            {refuse(constraint="kyc_kyccase_assessed", message="a case is verified once its risk is assessed")}
        END IF;
        IF NOT EXISTS (SELECT FROM kyc_screening WHERE id = {_LAST_SCREENING} AND done_at IS NOT NULL) THEN
            {refuse(constraint="kyc_kyccase_screened", message="a case is verified once its client is screened")}
        END IF;
        IF EXISTS (
            SELECT FROM kyc_screeninghit WHERE screening_id = {_LAST_SCREENING} AND disposition <> 'false_positive'
        ) THEN
            {refuse(constraint="kyc_kyccase_cleared", message="a case is verified once all hits are somebody else")}
        END IF;
        RETURN NEW;
    """  # noqa: S608 - built from constants
    return pgtrigger.Trigger(
        name="verified_by_the_rules",
        level=pgtrigger.Row,
        when=pgtrigger.Before,
        operation=pgtrigger.UpdateOf("status"),
        condition=pgtrigger.Condition("NEW.status = 'verified'"),
        func=func,
    )
