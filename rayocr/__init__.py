"""rayocr: buckets and folders of PDFs into clean text, at the full speed of the OCR quota."""

__version__ = "0.1.0"
