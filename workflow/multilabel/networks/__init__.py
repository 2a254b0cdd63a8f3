"""The networks below the classifiers, and their weights."""
