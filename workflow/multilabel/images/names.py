"""What normalisations and distortions are called, in names of runs and in configurations."""

PREPROCESSES = ("inet", "zmuvs", "zmuvf", "caffe", "torch")
ALIASES = {"zmuv": "zmuvs"}  # the paper writes zmuvs, its author's files say zmuv
AUGMENTATIONS = "hwrszf"
