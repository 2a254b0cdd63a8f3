"""One module per source of images and labels: what lies on disk becomes a `LabelMatrix` and image paths."""
