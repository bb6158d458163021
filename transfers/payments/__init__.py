"""Payments to accounts at other banks."""
