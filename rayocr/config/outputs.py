"""Defines the options for the outputs of a document and the report of a run."""

from __future__ import annotations

from dataclasses import dataclass, field

from rayocr.config.ranges import at_least, one_of


@dataclass
class CleanPdfConfig:
    pdf_a: bool = False  # PDF/A-2u, for archives: characters without a font become U+FFFD, and links are not clickable
    tags: bool = True  # structure for screen readers; false is 10 to 20 % faster
    page_image: bool = False  # show the picture of the source page where a page could not be read
    page_image_dpi: int = 100  # resolution of page_image; 100 is legible, and A4 takes about 150 KB
    system_fonts: bool = (
        True  # use installed fonts for scripts that the bundled fonts lack; false: the same file on every machine
    )
    timeout_s: float = 60.0  # time limit for eight pages (usually 0.5 s); after it they are set in a simpler layout

    def __post_init__(self) -> None:
        at_least(20, **{"output.clean_pdf.page_image_dpi": self.page_image_dpi})
        at_least(1, **{"output.clean_pdf.timeout_s": self.timeout_s})


@dataclass
class MarkdownConfig:
    """Options of the Markdown file. `normalize` applies to all outputs; `headers` also to JSONL and Parquet."""

    normalize: bool = True  # one style, without remarks that a model adds around a page; false: unchanged engine output
    headers: str = "keep"  # running headers, footers and page numbers: keep, mark (as comments) or remove
    join: bool = False  # join paragraphs and tables that continue over a page break; the page comment stays inside
    front_matter: bool = False  # write title, source, pages, engines, run and date as YAML at the beginning

    def __post_init__(self) -> None:
        one_of("output.markdown.headers", self.headers, ("keep", "mark", "remove"))


@dataclass
class OutputConfig:
    markdown: MarkdownConfig = field(default_factory=MarkdownConfig)
    clean_pdf: CleanPdfConfig = field(default_factory=CleanPdfConfig)


@dataclass
class ReportConfig:
    """Options of mode=report and of the report at the end of a run."""

    # A run writes its report at its end if the source has at most this many documents; 0: never. The report reads every manifest
    # of the destination, one request each on remote storage. For larger sources use mode=report.
    at_end: int = 500
    run: str = "all"  # all (every document of the destination), last, or a run id
    file: str | None = None  # path of the report, a local file; null: report.html in the destination
    documents: int = 1000  # documents listed, those with failures and doubts first
    pages: int = 60  # doubtful and failed pages shown with their picture; about 60 KB each
    sample: int = 6  # random other pages shown with their picture
    dpi: int = 80  # resolution of the pictures of pages

    def __post_init__(self) -> None:
        at_least(1, **{"report.documents": self.documents})
        at_least(0, **{"report.pages": self.pages, "report.sample": self.sample, "report.at_end": self.at_end})
        at_least(20, **{"report.dpi": self.dpi})
