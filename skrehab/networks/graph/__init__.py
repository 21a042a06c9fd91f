"""Networks over the graph of a skeleton."""
