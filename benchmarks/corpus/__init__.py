"""Generated pages with their ground truth, by seed; `make quality` measures the local engines on them."""
