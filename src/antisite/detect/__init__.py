"""What departs from the perfect crystal, and how sure that is."""
