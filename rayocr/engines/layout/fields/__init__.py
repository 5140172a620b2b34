"""Labels and their values, and short blocks that stand side by side."""
