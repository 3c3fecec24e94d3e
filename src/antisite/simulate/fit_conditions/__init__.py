"""How a real image was made, and its twin."""
