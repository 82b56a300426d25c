"""A curve that was read off a figure, turned back into whole patients."""
