"""Missing, exchanged and added atoms."""
