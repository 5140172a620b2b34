"""A server that speaks the part of the Gemini API that rayocr uses, on loopback, for tests and benchmarks.

Its job is to be honest about pages: every answer is made from the page that was sent (its text layer), so a mix-up of pages
shows in the output, and every request is counted by the page's text, so a page that is paid for twice shows too. It does not
pretend to read: a scan without a text layer is answered with its size in pixels.
"""
