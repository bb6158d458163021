"""Tests of payments to other banks."""
