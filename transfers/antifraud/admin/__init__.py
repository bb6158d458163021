"""Pages of antifraud: transfers that wait for a decision, what rules found, the versions of the rules, lists."""

from transfers.antifraud.admin import findings, lists, reviews, rules

__all__ = ["findings", "lists", "reviews", "rules"]
