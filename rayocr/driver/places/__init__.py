"""The source, the destination and the state that the options name."""
