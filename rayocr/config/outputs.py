"""What is written for a document, and of a run."""

from __future__ import annotations

from dataclasses import dataclass, field

from rayocr.config.ranges import at_least, one_of


@dataclass
class CleanPdfConfig:
    pdf_a: bool = (
        False  # PDF/A-2u, for archives: characters without a font become U+FFFD there as everywhere, and no link is kept alive
    )
    tags: bool = True  # structure for screen readers; without it 10 to 20 % faster
    page_image: bool = False  # pages that could not be read carry the picture of the source's page
    page_image_dpi: int = 100  # enough to read by eye; A4 is about 150 KB
    system_fonts: bool = True  # stand in for scripts that the fonts of the wheels lack; false: the same file on every machine
    timeout_s: float = 60.0  # for eight pages, which take half a second; then they are set more simply

    def __post_init__(self) -> None:
        at_least(20, **{"output.clean_pdf.page_image_dpi": self.page_image_dpi})
        at_least(1, **{"output.clean_pdf.timeout_s": self.timeout_s})


@dataclass
class MarkdownConfig:
    """Of the Markdown file; `normalize` of all outputs, `headers` also of JSONL and Parquet, whose text is the same."""

    normalize: bool = True  # one style, nothing of the model's own around a page; false: as the engine wrote it
    headers: str = "keep"  # running headers, footers and page numbers: keep, mark (as comments) or remove
    join: bool = False  # paragraphs and tables that go on over a page break in one piece; the break's comment stands inside
    front_matter: bool = False  # title, source, pages, engines, run and date as YAML at the beginning

    def __post_init__(self) -> None:
        one_of("output.markdown.headers", self.headers, ("keep", "mark", "remove"))


@dataclass
class OutputConfig:
    markdown: MarkdownConfig = field(default_factory=MarkdownConfig)
    clean_pdf: CleanPdfConfig = field(default_factory=CleanPdfConfig)


@dataclass
class ReportConfig:
    """Of mode=report, and of what a run leaves behind at its end."""

    # A run that ends by itself writes its report when the source has at most so many documents; 0: never. The report reads the
    # manifests of the destination, one request each where it is far away: of more documents, mode=report makes it when asked.
    at_end: int = 500
    run: str = "last"  # a run's id, last, or all: every document of the destination
    file: str | None = None  # a local file; null: report.html in the destination
    documents: int = 1000  # listed; those with failures and doubts first
    pages: int = 60  # doubtful and failed ones whose picture is shown beside the text; about 60 KB each
    sample: int = 6  # pages of all, taken at random, likewise
    dpi: int = 80  # of the pictures: enough to compare with the text

    def __post_init__(self) -> None:
        at_least(1, **{"report.documents": self.documents})
        at_least(0, **{"report.pages": self.pages, "report.sample": self.sample, "report.at_end": self.at_end})
        at_least(20, **{"report.dpi": self.dpi})
