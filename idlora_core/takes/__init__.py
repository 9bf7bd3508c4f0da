"""What a take is worth: measured one by one, ranked by a rule."""
