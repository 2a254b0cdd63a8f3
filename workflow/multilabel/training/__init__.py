"""Training: the loop, its state, where samples come from, what is minimised, and how."""
