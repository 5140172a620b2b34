"""Opens the source, the destination and the state that the options name."""
