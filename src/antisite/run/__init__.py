"""Where the steps are composed."""
