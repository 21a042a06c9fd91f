"""What trains a network: batches, clips, the loop, fine-tuning, and the base of the estimators."""
