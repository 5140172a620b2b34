"""Joins PDFs of a few pages into one, with only one of them in memory at a time. The result has tags, labels, metadata and PDF/A
marks.

PDF libraries also join files, but they keep all objects in memory until the end and lose the tags of pages. All parts come from
Typst, so a small subset of the format is enough: object numbers are shifted, and the parts that belong to the whole file (page
tree, structure, names of table headers) are written anew.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO
from xml.sax.saxutils import escape

import pikepdf

from rayocr import __version__
from rayocr.errors import TypesettingFailed
from rayocr.outputs.typeset.pdf_writer import PdfWriter, references, renumbered, text_string, unparsed
from rayocr.outputs.typeset.space_repair import keep_lone_spaces

_PAGES_A_NODE = 64  # maximum number of children per node of the page tree
_PRODUCER = f"rayocr {__version__}, Typst"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentFacts:
    """Metadata of the file. `language`: ISO 639-1; `source`: address of the source document."""

    title: str
    subject: str
    source: str
    language: str
    created: datetime
    pdf_a: bool = False


class PdfMerger:
    def __init__(self, file: BinaryIO) -> None:
        self._writer = PdfWriter(file)
        self._catalog, self._pages, self._structure, self._document_element, self._info = (
            self._writer.reserve() for _ in range(5)
        )
        self._nodes: list[tuple[int, int]] = []  # nodes of the page tree: object number, pages
        self._open_node: list[int] = []
        self._open_node_number = self._writer.reserve()
        self._elements: list[int] = []  # object numbers of the structure elements of the parts, below the document's element
        self._parents: list[int] = []  # object numbers of the nodes of the parent tree, one per part
        self._identifiers: list[int] = []  # object numbers of the nodes of the table headers' names, one per part
        self._next_parent = 0
        self._parts = 0
        self._role_map = b"<< >>"
        self._intents: int | None = None
        self._digest = hashlib.md5(usedforsecurity=False)
        self.page_count = 0

    def add(self, part: bytes, *, pages: int) -> list[tuple[float, float]]:
        """Adds a PDF from Typst with this number of pages and returns their sizes in points. Raises TypesettingFailed for any
        other data, without writing."""
        try:
            pdf = pikepdf.open(io.BytesIO(part))
        except pikepdf.PdfError as error:
            raise TypesettingFailed(f"Typst did not write a PDF: {error}") from error
        with pdf:
            if len(pdf.pages) != pages:
                raise TypesettingFailed(f"Typst wrote {len(pdf.pages)} pages instead of {pages}.")
            self._digest.update(part)
            sizes = [(float(box[2]) - float(box[0]), float(box[3]) - float(box[1])) for box in (p.mediabox for p in pdf.pages)]
            _Part(self, pdf).write()
        self._parts += 1
        return sizes

    def finish(self, facts: DocumentFacts, labels: Sequence[str] = ()) -> None:
        """Completes the file. `labels`: one per page, in order; empty where the label is the page number."""
        self._close_node()
        writer = self._writer
        total = b"%d" % self.page_count
        kids = references([number for number, _ in self._nodes])
        writer.write(self._pages, b"<< /Type /Pages /Count %b /Kids %b >>" % (total, kids))
        tagged = self._write_structure()
        metadata = writer.reserve()
        xmp = _xmp(facts)
        writer.write_stream(metadata, b"<< /Type /Metadata /Subtype /XML /Length %d >>" % len(xmp), xmp)
        date = facts.created.strftime("(D:%Y%m%d%H%M%SZ)").encode()
        writer.write_plain(  # files with the same text differ only in their dates
            self._info,
            b"<< /Title %b /Subject %b /Producer %b /Creator (rayocr) /CreationDate %b /ModDate %b >>"
            % (text_string(facts.title), text_string(facts.subject), text_string(_PRODUCER), date, date),
        )
        catalog = b"<< /Type /Catalog /Pages %d 0 R /Metadata %d 0 R /Lang %b" % (
            self._pages,
            metadata,
            text_string(facts.language),
        )
        catalog += b" /ViewerPreferences << /DisplayDocTitle true >>"
        if tagged:
            catalog += b" /MarkInfo << /Marked true /Suspects false >> /StructTreeRoot %d 0 R" % self._structure
        if self._intents is not None:
            catalog += b" /OutputIntents %d 0 R" % self._intents
        if any(labels):
            catalog += b" /PageLabels << /Nums [ %b ] >>" % _label_entries(labels)
        writer.write(self._catalog, catalog + b" >>")
        writer.finish(self._catalog, self._info, self._digest.hexdigest().encode())

    # -- called for each part ---------------------------------------------------------------------------------------------------

    def place_page(self, number: int) -> int:
        """Returns the node of the page tree that becomes the page's parent."""
        if len(self._open_node) >= _PAGES_A_NODE:
            self._close_node()
        self._open_node.append(number)
        self.page_count += 1
        return self._open_node_number

    def _close_node(self) -> None:
        if self._open_node:
            body = b"<< /Type /Pages /Parent %d 0 R /Count %d /Kids %b >>"
            self._writer.write(self._open_node_number, body % (self._pages, len(self._open_node), references(self._open_node)))
            self._nodes.append((self._open_node_number, len(self._open_node)))
            self._open_node, self._open_node_number = [], self._writer.reserve()

    def _write_structure(self) -> bool:
        if not self._elements:
            return False
        identifiers = b" /IDTree << /Kids %b >>" % references(self._identifiers) if self._identifiers else b""
        self._writer.write(
            self._structure,
            b"<< /Type /StructTreeRoot /K [ %d 0 R ] /ParentTree << /Kids %b >> /ParentTreeNextKey %d /RoleMap %b%b >>"
            % (self._document_element, references(self._parents), self._next_parent, self._role_map, identifiers),
        )
        self._writer.write(
            self._document_element,
            b"<< /Type /StructElem /S /Document /P %d 0 R /K %b >>" % (self._structure, references(self._elements)),
        )
        return True


class _Part:
    """One part that is being added."""

    def __init__(self, merger: PdfMerger, pdf: pikepdf.Pdf) -> None:
        self._merger = merger
        self._pdf = pdf
        self._writer = merger._writer
        self._base = self._writer.reserve(int(pdf.trailer.Size)) - 1
        self._root = pdf.Root.get("/StructTreeRoot")
        self._skipped = {pdf.Root.objgen[0], pdf.Root.Pages.objgen[0]}
        for key in ("/Metadata", "/Outlines", "/StructTreeRoot"):
            if key in pdf.Root:
                self._skipped.add(pdf.Root[key].objgen[0])
        if "/Info" in pdf.trailer:
            self._skipped.add(pdf.trailer.Info.objgen[0])

    def write(self) -> None:
        self._take_intents()
        for page in self._pdf.pages:
            keep_lone_spaces(page)
        pages = {page.objgen[0]: page for page in self._pdf.pages}
        first_parent = self._merger._next_parent
        parent_count = self._write_parent_tree(first_parent)
        for element in self._top_elements():
            element.S, element.P = pikepdf.Name.Part, pikepdf.Name.Part  # /P is replaced below, as text
            self._merger._elements.append(self._number(element.objgen[0]))
        self._name_identifiers()
        tops = {number - self._base for number in self._merger._elements}
        for value in self._pdf.objects:
            number = value.objgen[0] if isinstance(value, pikepdf.Object) else 0
            if number and number not in self._skipped and value.objgen[1] == 0:
                self._write_object(number, value, pages, tops, first_parent)
        self._merger._next_parent = first_parent + parent_count

    def _write_object(self, number: int, value: Any, pages: Any, tops: set[int], first_parent: int) -> None:
        if isinstance(value, pikepdf.Stream):
            data = value.read_raw_bytes()
            dictionary = value.stream_dict
            dictionary.Length = len(data)
            self._writer.write_stream(self._number(number), renumbered(unparsed(dictionary), self._number), data)
            return
        if isinstance(value, pikepdf.Dictionary):
            for key in ("/StructParents", "/StructParent"):
                if key in value:
                    value[key] = int(value[key]) + first_parent
        body = renumbered(unparsed(value), self._number)
        if number in pages:
            node = self._merger.place_page(self._number(number))
            pages_reference = b"/Parent %d 0 R" % self._number(self._pdf.Root.Pages.objgen[0])
            body = body.replace(pages_reference, b"/Parent %d 0 R" % node, 1)
        elif number in tops:
            body = body.replace(b"/P /Part", b"/P %d 0 R" % self._merger._document_element, 1)
        self._writer.write(self._number(number), body)

    def _number(self, number: int) -> int:
        return self._base + number

    def _take_intents(self) -> None:
        """Takes the output intents (color profiles) of the first part; they are equal in all parts."""
        intents = self._pdf.Root.get("/OutputIntents")
        if intents is not None and self._merger._intents is None:
            number = self._merger._intents = self._writer.reserve()
            self._writer.write(number, renumbered(unparsed(intents), self._number))

    # -- structure --------------------------------------------------------------------------------------------------------------

    def _top_elements(self) -> list[Any]:
        if self._root is None:
            return []
        return _as_list(self._root.get("/K"))

    def _write_parent_tree(self, first: int) -> int:
        if self._root is None:
            return 0
        if self._merger._parts == 0 and "/RoleMap" in self._root:
            self._merger._role_map = unparsed(self._root.RoleMap)
        entries = list(_tree_entries(self._root.get("/ParentTree"), "/Nums"))
        if not entries:
            return 0
        keys = [int(key) + first for key, _ in entries]
        pairs = (b"%d %b" % (key, self._reference(value)) for key, (_, value) in zip(keys, entries, strict=True))
        node = self._writer.reserve()
        self._writer.write(node, b"<< /Limits [ %d %d ] /Nums [ %b ] >>" % (keys[0], keys[-1], b" ".join(pairs)))
        self._merger._parents.append(node)
        return keys[-1] - first + 1

    def _name_identifiers(self) -> None:
        """Prefixes the names of table headers with the part's number, since they are unique only within a part."""
        if self._root is None or "/IDTree" not in self._root:
            return
        prefix = b"%08d" % self._merger._parts
        for value in self._pdf.objects:
            if isinstance(value, pikepdf.Dictionary) and value.get("/Type") == "/StructElem":
                if "/ID" in value:
                    value.ID = pikepdf.String(prefix + bytes(value.ID))
                for attributes in _as_list(value.get("/A")):
                    if isinstance(attributes, pikepdf.Dictionary) and "/Headers" in attributes:
                        attributes.Headers = pikepdf.Array(pikepdf.String(prefix + bytes(name)) for name in attributes.Headers)
        entries = [(prefix + bytes(key), value) for key, value in _tree_entries(self._root.IDTree, "/Names")]
        names = b" ".join(b"<%b> %b" % (key.hex().encode(), self._reference(value)) for key, value in entries)
        limits = b"<%b> <%b>" % (entries[0][0].hex().encode(), entries[-1][0].hex().encode())
        node = self._writer.reserve()
        self._writer.write(node, b"<< /Limits [ %b ] /Names [ %b ] >>" % (limits, names))
        self._merger._identifiers.append(node)

    def _reference(self, value: Any) -> bytes:
        if value.is_indirect:
            return b"%d 0 R" % self._number(value.objgen[0])
        return renumbered(unparsed(value), self._number)


def _tree_entries(node: Any, key: str) -> list[tuple[Any, Any]]:
    """Yields the entries of a number or name tree, in order."""
    if node is None:
        return []
    if "/Kids" in node:
        return [entry for kid in node.Kids for entry in _tree_entries(kid, key)]
    flat = list(node.get(key, []))
    return list(zip(flat[::2], flat[1::2], strict=True))


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, pikepdf.Array) else [value]


def _label_entries(labels: Sequence[str]) -> bytes:
    """Returns one entry per run of plain numbers, and one for each page with another label."""
    entries: list[bytes] = []
    counting = False
    for index, label in enumerate(labels):
        if label and label != str(index + 1):
            entries.append(b"%d << /P %b >>" % (index, text_string(label)))
            counting = False
        elif not counting:
            entries.append(b"%d << /S /D /St %d >>" % (index, index + 1))
            counting = True
    return b" ".join(entries)


def _xmp(facts: DocumentFacts) -> bytes:
    date = facts.created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    part = "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>U</pdfaid:conformance>" if facts.pdf_a else ""

    def alternative(name: str, text: str) -> str:
        return f'<dc:{name}><rdf:Alt><rdf:li xml:lang="x-default">{escape(text)}</rdf:li></rdf:Alt></dc:{name}>'

    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        ' xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">'
        f"<dc:format>application/pdf</dc:format>{alternative('title', facts.title)}{alternative('description', facts.subject)}"
        f"<dc:source>{escape(facts.source)}</dc:source>"
        f"<xmp:CreatorTool>rayocr</xmp:CreatorTool><xmp:CreateDate>{date}</xmp:CreateDate><xmp:ModifyDate>{date}</xmp:ModifyDate>"
        f"<pdf:Producer>{escape(_PRODUCER)}</pdf:Producer>{part}</rdf:Description></rdf:RDF></x:xmpmeta>"
        '<?xpacket end="r"?>'
    ).encode("utf-8", "replace")
