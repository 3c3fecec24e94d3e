"""Columns to pixels, and patches out of them."""
