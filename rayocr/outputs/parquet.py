"""Writes one Parquet file per document with one row per page, for data lakes and notebooks: `SELECT text FROM 'out/**/*.parquet'
WHERE outcome = 'done'`.

Rows are written in groups of pages, so a document of 10,000 pages takes no more memory than one of 100. Every file has the same
columns with the same types. pyarrow is an extra; it is imported when the first file is opened.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

from rayocr.config import OutputConfig
from rayocr.extras import require
from rayocr.messages import DocumentContext, PageOutcome, PageRecord
from rayocr.outputs.base import Output

if TYPE_CHECKING:
    from rayocr.pdf.document import PdfFile

_PAGES_A_GROUP = 256
_BYTES_A_GROUP = 4 << 20  # bytes of text; a group ends at the first limit that it reaches


class ParquetOutput(Output):
    name: ClassVar[str] = "parquet"
    suffix: ClassVar[str] = ".parquet"
    flowing: ClassVar[bool] = True

    def __init__(
        self, file: BinaryIO, context: DocumentContext, *, config: OutputConfig | None = None, source: PdfFile | None = None
    ) -> None:
        super().__init__(file, context, config=config, source=source)
        self._writer: Any = None
        self._schema: Any = None
        self._rows: list[dict[str, Any]] = []
        self._waiting_bytes = 0
        self._written_at = datetime.now(UTC)

    @classmethod
    def check(cls) -> None:
        require("parquet", "outputs=[parquet]")

    def begin(self) -> None:
        """Begins the file. Raises UsageError if pyarrow is not installed on this machine."""
        self.check()
        import pyarrow.parquet  # type: ignore[import-untyped]

        self._schema = _schema()
        self._writer = pyarrow.parquet.ParquetWriter(self.file, self._schema, compression="zstd")

    def page(self, record: PageRecord) -> None:
        self._rows.append(self._row(record))
        self._waiting_bytes += len(record.text)
        if len(self._rows) >= _PAGES_A_GROUP or self._waiting_bytes >= _BYTES_A_GROUP:
            self._write_group()

    def finish(self) -> None:
        self._write_group()
        self._writer.close()
        self._writer = None

    def close(self) -> None:
        """Closes pyarrow's writer. The caller deletes an unfinished file."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.close()

    def _write_group(self) -> None:
        if not self._rows:
            return
        import pyarrow

        rows, self._rows, self._waiting_bytes = self._rows, [], 0
        self._writer.write_table(pyarrow.Table.from_pylist(rows, schema=self._schema))

    def _row(self, record: PageRecord) -> dict[str, Any]:
        document = self.context.document
        failed = record.outcome is PageOutcome.FAILED
        return {
            "document_id": document.document_id,
            "source_uri": _text(document.source_uri),
            "source_name": _text(document.name),
            "source_version": document.version,
            "title": None if self.context.title is None else _text(self.context.title),
            "page_number": record.page_number,
            "page_count": self.context.page_count,
            "outcome": record.outcome.value,
            "reason": record.attempts[-1].reason if failed and record.attempts else None,
            "text": _text(record.text.strip()),
            "engine": record.engine or None,
            "model": record.model or None,
            "doubts": list(record.doubts),
            "agreement": record.agreement,
            "input_tokens": record.input_tokens,
            "output_tokens": record.output_tokens,
            "cost_usd": record.cost_usd,
            "copied": record.copied,
            "run_id": self.context.run_id,
            "written_at": self._written_at,
        }


def _schema() -> Any:
    import pyarrow as pa

    columns = [
        ("document_id", pa.string(), False),
        ("source_uri", pa.string(), False),
        ("source_name", pa.string(), False),
        ("source_version", pa.string(), False),
        ("title", pa.string(), True),
        ("page_number", pa.int32(), False),
        ("page_count", pa.int32(), False),
        ("outcome", pa.string(), False),
        ("reason", pa.string(), True),
        ("text", pa.string(), False),
        ("engine", pa.string(), True),
        ("model", pa.string(), True),
        ("doubts", pa.list_(pa.string()), False),
        ("agreement", pa.float64(), True),
        ("input_tokens", pa.int64(), False),
        ("output_tokens", pa.int64(), False),
        ("cost_usd", pa.float64(), False),
        ("copied", pa.bool_(), False),
        ("run_id", pa.string(), False),
        ("written_at", pa.timestamp("us", tz="UTC"), False),
    ]
    return pa.schema([pa.field(name, kind, nullable=nullable) for name, kind, nullable in columns])


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate cannot be encoded
