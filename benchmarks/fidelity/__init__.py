"""Compares what rayocr reads of PDFs with another program's reading and with the ink of the pages."""
