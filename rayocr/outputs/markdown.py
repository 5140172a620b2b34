"""One Markdown file a document, with the page breaks as comments: `<!-- page 3 -->`."""

from __future__ import annotations

from typing import ClassVar

from rayocr.messages import PageRecord
from rayocr.outputs.base import Output, failure_notice


class MarkdownOutput(Output):
    name: ClassVar[str] = "markdown"
    suffix: ClassVar[str] = ".md"

    def page(self, record: PageRecord) -> None:
        self.write(("\n" if record.page_number > 1 else "") + f"<!-- page {record.page_number} -->\n")
        if record.doubts:
            self.write(f"<!-- doubtful: {', '.join(record.doubts)} -->\n")
        notice = failure_notice(record)
        text = f"> **{notice}**" if notice else record.text.strip()
        if text:
            self.write(f"\n{text}\n")
