"""Networks over RGB clips."""
