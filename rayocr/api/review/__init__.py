"""What a person does with finished pages: correct one, undo that, or read it again with another engine. The results view, the
commands `rayocr correct` and `rayocr reread`, and `rayocr.open_results` use it."""
