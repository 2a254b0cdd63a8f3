"""Linear classifiers on features of all layers for small datasets (Dong et al. 2015)."""
