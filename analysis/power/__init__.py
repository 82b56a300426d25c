"""Analytic operating characteristics of designs."""
