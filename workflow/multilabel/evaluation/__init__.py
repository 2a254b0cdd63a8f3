"""What every run shares after training: scores on images, decisions, metrics, intervals."""
