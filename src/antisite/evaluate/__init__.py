"""How good a table of defects is, against a known truth."""
