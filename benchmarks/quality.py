"""`make quality`: the local chain against Tesseract and against bare rapidocr on a corpus with its truth, by class of page.

Pages are made by seed (`benchmarks/corpus`), so that anybody gets the same ones; samples/ is a class of its own. The chain is
the one that a run without a key uses, text layers, checks and fallbacks included. Tesseract is the program with its English pack
and its defaults, on pages drawn at 200 dpi; rapidocr its own pipeline, its lines in its own order.
"""

from __future__ import annotations

import argparse
import json
import os
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import mean, median

import pypdfium2
from rich.console import Console
from rich.table import Table

from benchmarks.corpus import pdfs
from benchmarks.corpus.cases import Case, cases, kinds
from benchmarks.quality_readers import READERS, Reading, available
from benchmarks.quality_score import Score, score

_SAMPLES = Path(__file__).parents[1] / "samples"
_SAMPLES_KIND = "samples/"
_WHOLE_CLASSES = {
    "Latin languages": 9,
    "other scripts": 10,
    "mixed scripts": 5,
    "degraded": 12,
}  # every language and treatment once

Result = tuple[str, str, str, str, Reading, Score]  # reader, kind, name, layer


def main() -> None:
    options = _options()
    console = Console()
    if not console.is_terminal:
        console.width = 150
    readers = [name for name in options.readers.split(",") if available(name)]
    corpus = list(_corpus(options.pages, options.seed, options.kinds))
    random.Random(options.seed).shuffle(corpus)  # so that a run that is stopped has seen some of every class
    jobs = [(reader, case) for case in corpus for reader in readers]
    results: list[Result] = []
    with ProcessPoolExecutor(max_workers=options.processes) as pool:
        for result in pool.map(_measure, jobs):
            results.append(result)
            if options.json:
                with Path(options.json).open("a") as lines:
                    lines.write(json.dumps(_as_json(result), ensure_ascii=False) + "\n")
    order = [*kinds(), _SAMPLES_KIND]
    results.sort(key=lambda result: order.index(result[1]))
    for reader in readers:
        console.print(_table(reader, [result for result in results if result[0] == reader]))
    if "chain" in readers:
        _print_layers(console, [result for result in results if result[0] == "chain"])
        _print_worst(console, [result for result in results if result[0] == "chain"])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=0, help="of each class; 0: two, but every language and treatment once")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--readers", default="chain,tesseract", help=f"of {', '.join(READERS)}; those not installed are left out")
    parser.add_argument("--kinds", default="", help="classes whose name holds one of these words; all, if empty")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", help="file to which text and scores of every page are added, one a line")
    return parser.parse_args()


def _corpus(pages: int, seed: int, words: str) -> Iterator[Case]:
    wanted = [word.strip() for word in words.split(",") if word.strip()]
    try:
        for kind in kinds():
            if not wanted or any(word in kind for word in wanted):
                yield from cases(kind, pages or _WHOLE_CLASSES.get(kind, 2), seed=seed)
    finally:
        pdfs.close()
    if not wanted or _SAMPLES_KIND in wanted:
        yield from _samples()


def _samples() -> Iterator[Case]:
    for name, truths in json.loads((_SAMPLES / "truth.json").read_text()).items():
        with pypdfium2.PdfDocument(_SAMPLES / name) as pdf:
            for index, truth in enumerate(truths):
                single = pypdfium2.PdfDocument.new()
                single.import_pages(pdf, [index])
                yield Case(kind=_SAMPLES_KIND, name=f"{name} {index + 1}", pdf=pdfs.saved(single), truth=truth)


def _measure(job: tuple[str, Case]) -> Result:
    reader, case = job
    reading = READERS[reader](case.pdf)
    return reader, case.kind, case.name, case.layer, reading, score(reading.text, case.truth)


def _table(reader: str, results: list[Result]) -> Table:
    by_kind: defaultdict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_kind[result[1]].append(result)
    by_kind["all"] = results
    table = Table(title=READERS[reader].__doc__, title_justify="left")
    for number, column in enumerate(("class", "pages", "CER median", "mean", "order-free", "word F1 median", "mean", "CPU s")):
        table.add_column(column, justify="right" if number else "left")
    for kind, some in by_kind.items():
        scores = [result[5] for result in some]
        table.add_row(
            kind,
            str(len(some)),
            f"{median(s.cer for s in scores):.3f}",
            f"{mean(s.cer for s in scores):.3f}",
            f"{mean(s.order_free_cer for s in scores):.3f}",
            f"{median(s.word_f1 for s in scores):.3f}",
            f"{mean(s.word_f1 for s in scores):.3f}",
            f"{mean(result[4].cpu_s for result in some):.1f}",
            end_section=kind == _SAMPLES_KIND,
        )
    return table


def _print_layers(console: Console, results: Iterable[Result]) -> None:
    """Text layers that were believed and lie, and such that are right and were not believed."""
    judged = [(layer, name, reading.engine) for _, _, name, layer, reading, _ in results if layer]
    believed = [name for layer, name, engine in judged if layer == "bad" and engine == "textlayer"]
    doubted = [name for layer, name, engine in judged if layer == "good" and engine != "textlayer"]
    console.print(
        f"Text layers: {len(judged)}; believed although bad: {', '.join(believed) or 'none'}; "
        f"not believed although good: {', '.join(doubted) or 'none'}."
    )


def _print_worst(console: Console, results: list[Result]) -> None:
    for _, _, name, _, reading, page_score in sorted(results, key=lambda result: -result[5].cer)[:10]:
        if page_score.cer > 0.02:
            console.print(f"  {name}: CER {page_score.cer:.3f}, word F1 {page_score.word_f1:.3f}, {reading.engine or 'nobody'}")


def _as_json(result: Result) -> dict[str, object]:
    reader, kind, name, _, reading, page_score = result
    scores = {"cer": page_score.cer, "order_free_cer": page_score.order_free_cer, "word_f1": page_score.word_f1}
    return {"reader": reader, "kind": kind, "name": name, "engine": reading.engine, **scores, "text": reading.text}


if __name__ == "__main__":
    main()
