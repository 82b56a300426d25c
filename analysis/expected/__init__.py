"""A trial in large samples: what is expected of it by a calendar time."""
