"""Query2Label (Liu et al. 2021): a label asks the image where it is."""
