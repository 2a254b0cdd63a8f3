<<<<<<< ours
"""The networks below the classifiers, and their weights."""
||||||| base
=======
"""Networks: those of `keras.applications` by name, and those that PyTorch files hold weights of."""
>>>>>>> theirs
