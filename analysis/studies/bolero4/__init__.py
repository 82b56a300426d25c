"""BOLERO-4: a single arm whose median was not reached, from two landmarks and their intervals."""
