"""Networks over RGB and skeleton, and what joins them."""
