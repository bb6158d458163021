"""Figures for staff, kept by a consumer of the events; see Note [Projections]."""
