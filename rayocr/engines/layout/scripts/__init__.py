"""What is particular to a script: columns of Chinese and Japanese, and Korean words that are divided between lines."""
