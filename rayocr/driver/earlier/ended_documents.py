"""Collects documents that have ended in a run, for parts that examine them later."""

from __future__ import annotations

from collections.abc import Callable

from rayocr.messages import Document, DocumentOutcome

OnDocument = Callable[[Document, DocumentOutcome], None]


def collecting(on_document: OnDocument, ended: list[Document], wanted: Callable[[Document], bool]) -> OnDocument:
    """Returns the same callback, which also appends the wanted documents to `ended`."""

    def called(document: Document, outcome: DocumentOutcome) -> None:
        if wanted(document):
            ended.append(document)
        on_document(document, outcome)

    return called
