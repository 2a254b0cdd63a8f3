"""Bottleneck features: extracted in one pass over the images, kept in files, whitened."""
