"""Undoing a completed transfer, by two people, without rewriting what happened."""
