"""Networks: those of `keras.applications` by name, and those that PyTorch files hold weights of."""
