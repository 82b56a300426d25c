"""Units: months in designs and results, days only in records."""

DAYS_PER_MONTH = 30.4375
"""A month is a twelfth of 365.25 days."""

WEEK = 7 / DAYS_PER_MONTH
"""One week in months."""
