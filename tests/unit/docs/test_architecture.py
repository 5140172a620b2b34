"""docs/architecture.md, the decisions and the glossary name only paths and classes that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
DOCS = REPOSITORY / "docs"
ARCHITECTURE = (DOCS / "architecture.md").read_text(encoding="utf-8")
GLOSSARY = (DOCS / "glossary.md").read_text(encoding="utf-8")
DECISIONS = sorted((DOCS / "decisions").glob("0*.md"))
FOREIGN = {"ClientError"}  # of Google's SDK


@cache
def names_in_code() -> frozenset[str]:
    """Every class, function, constant, field and method of the package, methods and fields also as Class.name."""
    found: set[str] = set()
    for path in (REPOSITORY / "rayocr").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(node.name)
            if isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                found |= {target.id for target in targets if isinstance(target, ast.Name)}
            if isinstance(node, ast.ClassDef):
                found |= {f"{node.name}.{item.name}" for item in node.body if hasattr(item, "name")}
    return frozenset(found)


def quoted(text: str) -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", text))


def paths_in(text: str) -> set[str]:
    return {word for word in quoted(text) if re.fullmatch(r"[\w.]+(/[\w.]+)*(/|\.(py|md|yaml|yml|toml))", word)}


def exists(path: str) -> bool:
    if "/" not in path:
        return any((REPOSITORY / "rayocr").rglob(path)) or (REPOSITORY / path).exists()
    return path.startswith((".rayocr/", "logs/")) or any((root / path).exists() for root in (REPOSITORY / "rayocr", REPOSITORY))


def test_every_path_on_the_page_exists() -> None:
    assert [path for path in sorted(paths_in(ARCHITECTURE)) if not exists(path)] == []


def test_every_class_and_method_on_the_page_exists() -> None:
    words = {word.partition("(")[0] for word in quoted(ARCHITECTURE)}
    named = {word for word in words if re.fullmatch(r"[A-Z]\w*[a-z]\w*(\.\w+)?|[A-Z_]{4,}", word)}
    assert len(named) > 25
    assert sorted(named - names_in_code() - FOREIGN) == []


def test_every_folder_in_the_tree_exists_and_none_is_missing() -> None:
    tree = re.search(r"    rayocr/\n(.*?)\n\n", ARCHITECTURE, re.DOTALL)
    assert tree is not None
    drawn = set(re.findall(r"\b\w+/(?= |,|\)|$)|\b\w+\.py\b", tree[1], re.MULTILINE)) - {"conf/"}
    top = {f"{path.name}/" for path in (REPOSITORY / "rayocr").iterdir() if (path / "__init__.py").exists()}
    assert top - drawn == set()
    there = {path.name + "/" * path.is_dir() for path in (REPOSITORY / "rayocr").rglob("*")}
    assert drawn - there == set()


def test_every_link_of_the_page_leads_somewhere() -> None:
    headings = {
        re.sub(r"[^\w -]", "", line[3:]).lower().replace(" ", "-") for line in ARCHITECTURE.splitlines() if line[:3] == "## "
    }
    for target in re.findall(r"\]\(([^)]+)\)", ARCHITECTURE):
        assert target[1:] in headings if target[0] == "#" else (DOCS / target).exists(), target


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name[:4])
def test_decisions_name_existing_paths_and_are_in_the_index(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [
        name for name in sorted(paths_in(text)) if name.startswith(("rayocr/", "docs/", "benchmarks/")) and not exists(name)
    ] == []
    index = (DOCS / "decisions" / "README.md").read_text(encoding="utf-8")
    title = text.splitlines()[0].removeprefix(f"# {path.name[:4]}: ")
    assert f"| [{path.name[:4]}]({path.name}) | {title} |" in index


# Where the code uses a term of the glossary: a class, function, field or option with that name.
TERMS = {
    "document": "Document",
    "document_id": "Document.document_id",
    "version": "Document.version",
    "page_number": "PageRecord.page_number",
    "shard": "Shard",
    "window": "Window",
    "scheduler": "Scheduler",
    "flow": "DocumentFlow",
    "engine": "Engine",
    "chain": "parse_chain",
    "stage": "Stage",
    "ladder": "next_model",
    "finish reason": "FinishReason",
    "probe": "probe_servers",
    "page dedup": "PageDeduplicator",
    "document dedup": "DedupRecorder",
    "batch queue": "BatchQueue",
    "node group": "Group",
    "slot": "SlotClient",
    "limiter bucket": "Bucket",
    "render": "render",
    "ink": "ink_coverage",
    "attempt": "Attempt",
    "outcome": "PageOutcome",
    "verification": "Verifier",
    "agreement": "Agreement",
    "ledger": "Ledger",
    "segment": "DecodedSegment",
    "manifest": "Manifest",
    "fingerprint": "fingerprint",
    "output name": "reserve_output_name",
    "lease": "Leases",
    "fencing token": "fencing_token",
    "destination lock": "DestinationLock",
    "dead letter": "DeadLetter",
    "quarantine": "Quarantined",
    "drain": "Draining",
    "spool": "Spool",
    "mailbox": "Mailbox",
    "backoff": "RetryPolicy",
}


def test_terms_of_the_glossary_are_names_in_the_code() -> None:
    defined = set(re.findall(r"^\| \*\*([^*]+)\*\* \|", GLOSSARY, re.MULTILINE))
    assert sorted(set(TERMS) - defined) == []
    known = names_in_code() | {name.partition(".")[2] for name in names_in_code()}
    fields = {
        field
        for path in (REPOSITORY / "rayocr" / "messages").glob("*.py")
        for field in re.findall(r"^    (\w+):", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    missing = {term: name for term, name in TERMS.items() if name.rpartition(".")[2] not in known | fields}
    assert missing == {}


def test_every_term_is_used_in_the_code_and_defined_once() -> None:
    defined = re.findall(r"\*\*([\w -]+)\*\*", GLOSSARY)
    assert sorted(word for word in set(defined) if defined.count(word) > 1) == []
    code = "\n".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "rayocr").rglob("*.py")).lower()
    code += (REPOSITORY / "docker" / "prometheus" / "alerts.yml").read_text(encoding="utf-8").lower()
    words = [word.lower().rstrip("s") for word in defined]
    assert [
        word for word in words if word not in code and word.replace(" ", "_") not in code and word.replace("-", " ") not in code
    ] == []
