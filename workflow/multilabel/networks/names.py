"""Names of networks that need no network to be read."""

TORCHVISION = "torchvision."
"""What the names of networks begin with that are as torchvision builds them."""
