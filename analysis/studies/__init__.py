"""The trials of this project: their assumptions and the questions asked of them."""
