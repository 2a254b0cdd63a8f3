"""The experiments, one package each."""
