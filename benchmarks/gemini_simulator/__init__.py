"""A server that speaks the part of the Gemini API that rayocr uses, on loopback, for tests and benchmarks.

Every answer is derived from the text layer of the sent page, so that a mix-up of pages is visible in the output. Every request is
counted by the page's text, so that a page that is paid for twice is visible, too. It does no OCR: the answer for a scan without a
text layer is its size in pixels.
"""
