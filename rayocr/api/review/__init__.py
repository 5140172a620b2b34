"""Corrects finished pages, undoes corrections, and reads pages again with another engine. The results view, the commands `rayocr
correct` and `rayocr reread`, and `rayocr.open_results` use this package."""
