"""Compares rayocr's text of PDFs with another program's text and with the ink of the pages."""
