"""Reported numbers of published trials."""
