"""Pages with their truth, made by seed: what `make quality` measures the local engines on."""
