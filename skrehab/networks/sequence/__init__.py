"""Networks over a sequence of poses."""
