"""Learning from single positive labels (Cole et al. 2021; paper 001)."""
