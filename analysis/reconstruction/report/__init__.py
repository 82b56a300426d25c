"""The report: what it asks of patients, what they give back, and what is said of one that contradicts itself."""
