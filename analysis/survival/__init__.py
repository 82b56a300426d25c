"""Distributions, estimators and tests on plain arrays: knows no trial and reads no file."""
