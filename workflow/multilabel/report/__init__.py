"""How results are shown: tables, the style of figures, example images, the gallery, verdicts on published numbers."""
