"""Mistakes of newcomers: one line that names the mistake and the next step, exit code 2, nothing started."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from rayocr import extras
from rayocr.cli import main
from rayocr.engines.tesseract import engine as tesseract

CASES = [
    ("-dash.pdf -", "For a path that begins with a dash: ./-dash.pdf"),
    ("-- -dash.pdf -", "-dash.pdf does not exist."),
    ("repair out/", "'repair' is neither a command nor a folder. Check the path. Commands: run, watch,"),
    ("~no-such-user.pdf -", "~no-such-user.pdf does not exist."),
    ("README.md out", "is not a PDF: its name does not end in .pdf. Name a PDF or a folder of PDFs."),
    ("source=README.md", "is not a PDF"),
    ("in out gateway.port=99999", "gateway.port is 99999; it must be at most 65535."),
    ("in out gateway.port=abc", "gateway.port=abc is not a whole number"),
    ("in dest=", "dest= is empty. Name a folder, for example dest=out/"),
    ("in ''", "dest= is empty."),
    ("source= dest=out", "source= is empty. Name a folder or a PDF, for example source=in/"),
    ("in out outputs=[markdown jsonl]", "The shell has split `outputs=[markdown` at a space. Put the option in quotes:"),
    ("in out 'include=[Anhänge (1), b.pdf]'", "Write it in quotes: \"include=['Anhänge (1)',b.pdf]\""),
    ("in out 'include=[a[1,2].pdf, Größe.pdf]'", "\"include=['a[1,2].pdf','Größe.pdf']\""),
    ("in out \"include=['Müller, Anna.pdf,b]\"", "Cannot parse the value of include. Write it in quotes:"),
    ("in out limits.rpm=", "limits.rpm= is empty; it must be a number."),
    ("in out limits.rpm=-1", "limits.rpm is -1; it must be at least 0.001."),
    ("in out budget.usd=20€", "budget.usd=20€ is not a number"),
    ("in out engine.gemini=x", "engine.gemini is a group of options. Set one of them, for example engine.gemini.model=…"),
    ("in out limits.models={a:b}", "limits.models={gemini-3.1-flash-lite:{rpm:600}}"),
    ("in out limits.models.gemini-3.rpm=5", "limits.models={gemini-3.1-flash-lite:{rpm:600}}"),
    ("in out cluster=foo", "cluster=foo is not an address. Use auto, local, inprocess, HOST:PORT"),
    ("in out cluster=http://127.0.0.1:8265", "is a dashboard, which `rayocr submit` takes"),
    ("--source in", "Write options as key=value: source=in"),
    ("--limits.rpm=600 in", "Write options as key=value: limits.rpm=600"),
    ("--samples", "--samples has no value."),
    ("--samples in/a.pdf", "Cannot copy the samples to in/a.pdf: File exists."),
    ("--verison", "Did you mean --version?"),
    ("--config README.md in out", "has an unknown option 'hi'"),
    ("--config utf16.yaml in out", "The configuration file utf16.yaml is not UTF-8 text. Save it as UTF-8."),
    ("statsu out", "'statsu' is neither a command nor a folder. Did you mean `rayocr status`?"),
    ("in/a.pdf in/b.pdf out", "takes one source, but 3 paths were given."),
    ("in/a.pdf 'in/b [1].pdf' 'out 2'", "rayocr in \"out 2\" \"include=[a.pdf,'b [[]1].pdf']\""),
    ("in/a.pdf b.pdf out", "rayocr in/ out \"include=[a.pdf,'b*.pdf']\""),
    ("two words out", 'The shell has split a path at a space. Put it in quotes: "two words"'),
    ("'two words\\\\deep' out", 'Separate folders with a slash: "'),
    ("https://console.cloud.google.com/storage/browser/bucket/in%20box;tab=objects out", 'Write "gs://bucket/in box"'),
    ("https://storage.googleapis.com/bucket/in/ out", "Write gs://bucket/in"),
    ("in out engine local", "Write engine=local."),
    ("in out engine = local", "Write engine=local."),
    ("in out engine:local", "Write options as key=value: engine=local"),
    ("in out overwrite", "Write overwrite=true."),
    ("in out budget.usd", "Write budget.usd=VALUE."),
    ("in out engine=local,gemini", "is not one name. Several engines are a chain: engine.chain=[textlayer,gemini]"),
    ("in out engine=[textlayer,rapidocr]", "is not one name. Several engines are a chain: engine.chain=[textlayer,gemini]"),
    ("--config chain.yaml in out", "is not one name. Several engines are a chain: engine.chain=[textlayer,gemini]"),
    ("in out limits=tier1,tier2", "limits=tier1,tier2 is not one name."),
    ("in out limits=[tier1,tier2]", "is not one name. Choose one. `rayocr --help limits` explains them."),
    ("in out engine.gemini.base_url=proxy.example", "For example: engine.gemini.base_url=https://proxy.example"),
    ("in out state=README.md", "README.md is a file, but a folder is needed. Name a folder."),
    ("in out limit.rpm=5", "Unknown option 'limit.rpm': limit has no options below it. Did you mean limits.rpm=5?"),
    ("in out include.x=1", "Unknown option 'include.x': include has no options below it. Write include=VALUE."),
    ("in out cluster=[local,auto]", "cluster=[local,auto] is not one value. Write cluster=VALUE, without brackets."),
    ("in out overwrite=yep", "overwrite=yep is not true or false. For example: overwrite=true"),
    ("in out exit.empty=maybe", "exit.empty=maybe is not a whole number. For example: exit.empty=0"),
    ("--config circle.yaml in out", "Cannot read the configuration file circle.yaml: a value contains itself."),
    ("--config dotted.yaml in out", "limits.rpm=ten is not a number."),
    ("--config dotted_typo.yaml in out", "Unknown option 'limit.rpm': limit has no options below it. Did you mean limits.rpm=5?"),
    ("in out workers=4", "for example workers.max=…"),
    ("in out outputs=[md]", "There is no output 'md'. Did you mean markdown?"),
    ("in out outputs=markdwon", "There is no output 'markdwon'. Did you mean markdown?"),
    ("in out engine.chain=textlayer,rapidcr", "There is no engine 'rapidcr'. Did you mean rapidocr?"),
    ("in out engine=gemni", "Did you mean gemini? Choose one of auto, gemini,"),
    ("in out limits=tier9", "limits=tier9 is unknown. Choose one of"),
    ("in out order=newst", "Did you mean newest? Choose one of listing,"),
    ("in out engine.openai.image_format=jpg", "Did you mean jpeg?"),
    ("in out include=a.pdf,b.pdf", "include is a list. For several patterns: \"include=[a.pdf,b.pdf]\""),
    ("in --output out4", "Write options as key=value: dest=out4"),
    ("in -o out4", "Write options as key=value: dest=out4"),
    ("in out --report x", "report is a group of options: `rayocr --help report` lists them."),
    ("in output=out4", "Did you mean dest=out4?"),
    ("watch", "`rayocr watch` needs IN, the folder, bucket or Drive folder with the PDFs. For example: rayocr watch in/ out/"),
    ("mode=watch dest=out", "`rayocr watch` needs IN"),
    ("cancel document=a.pdf", "`rayocr cancel` needs IN"),
    ("submit cluster=http://127.0.0.1:8265", "`rayocr submit` needs IN"),
    ("in out -verbose", "Did you mean --verbose?"),
    ("version", "Did you mean `rayocr --version`?"),
    ("read in out", "'read' is neither a command nor a folder."),
    ("in out extra", "`rayocr` takes [IN] [OUT]"),
    ("in/a.pdf a.md", "would be a folder. Name a folder for the outputs. To write one document to a file: rayocr a.pdf - > a.md"),
    ("in out document=a.pdf", "document= is for the commands retry, dismiss and cancel. To read certain files, set include="),
    ("in out limits=", "limits= is empty. Choose one of default, free"),
    ("in out mode=", "mode= is empty. Choose one of run, status"),
    ("in out outputs=", "outputs= is empty. Write a list, for example outputs=[a,b]"),
    ("--config bad.yaml in out", "Cannot read the configuration file bad.yaml: line 2: "),
    ("status missing", "does not exist, so it holds no results. Check the path of the results (dest=)."),
    ("in out engine=tesseract engine.tesseract.languages=[klingon]", "tesseract"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "STORAGE_BACKEND", "RAY_ADDRESS", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "README.md").write_text("hi\n")
    (tmp_path / "utf16.yaml").write_text("engine: local\n", encoding="utf-16")
    (tmp_path / "bad.yaml").write_text("limits: [1\n")
    (tmp_path / "chain.yaml").write_text("engine: [textlayer, rapidocr]\n")
    (tmp_path / "circle.yaml").write_text("source: &a [*a]\n")
    (tmp_path / "dotted.yaml").write_text("limits.rpm: ten\n")
    (tmp_path / "dotted_typo.yaml").write_text("limit.rpm: 5\n")
    (tmp_path / "in").mkdir()
    (tmp_path / "two words" / "deep").mkdir(parents=True)
    for name in ("a", "b"):
        canvas = Canvas(str(tmp_path / "in" / f"{name}.pdf"), invariant=1)
        canvas.drawString(72, 720, "page")
        canvas.save()
    return tmp_path


def said(capfd: pytest.CaptureFixture[str], command: str) -> str:
    """What the command line prints on standard error: at most a message and, on the next line, the next step."""
    code = main(shlex.split(command))
    err = capfd.readouterr().err
    assert code == 2, err
    assert len(err.splitlines()) <= 2
    assert "Traceback" not in err
    return err.replace("\n  ", " ")


@pytest.mark.parametrize(("command", "words"), CASES)
def test_a_mistake_is_reported_with_the_next_step(capfd: pytest.CaptureFixture[str], command: str, words: str) -> None:
    assert words in said(capfd, command)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("GOOGLE_GEMINI_BASE_URL", "proxy.example", "is not an address: http:// or https:// is missing. For example: GOOGLE"),
        ("OPENAI_BASE_URL", "localhost:8000/v1", "For example: OPENAI_BASE_URL=http://localhost:8000/v1"),
        ("MAX_RETRIES", "abc", "must be a whole number. Correct it in the environment or in .env"),
        ("POLL_INTERVAL", "-1", "must be a positive number. Correct it"),
    ],
)
def test_a_wrong_variable_is_named_with_the_next_step(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)
    assert words in said(capfd, "in out")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1"])
def test_a_dotenv_that_is_not_utf_8_is_one_line(capfd: pytest.CaptureFixture[str], here: Path, encoding: str) -> None:
    (here / ".env").write_bytes("GEMINI_API_KEY=schlüssel".encode(encoding))
    assert "Cannot read .env in the working folder:" in said(capfd, "in out")
    assert not (here / "out").exists()


def test_a_dotenv_with_a_byte_order_mark_is_read(
    capfd: pytest.CaptureFixture[str], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAX_RETRIES", raising=False)
    (here / ".env").write_bytes("\ufeffMAX_RETRIES=7".encode())
    assert main(["--cfg"]) == 0
    assert "max_attempts: 7" in capfd.readouterr().out
    monkeypatch.delenv("MAX_RETRIES", raising=False)


def test_a_missing_tesseract_is_reported_before_ray_starts(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tesseract, "find_tesseract", lambda **_: None)
    assert "tesseract is not installed." in said(capfd, "in out engine=tesseract")


def test_a_chosen_language_pack_is_checked_in_the_default_chain_too(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Installed:
        version = "5.3"

        def languages(self) -> tuple[str, ...]:
            return ("eng",)

    monkeypatch.setattr(tesseract, "find_tesseract", lambda **_: Installed())
    monkeypatch.setattr(tesseract.TesseractEngine, "available", classmethod(lambda cls: True))
    words = said(capfd, "in out engine=local engine.tesseract.languages=[deu]")
    assert "no language pack deu (installed: eng)" in words
    assert "apt-get install tesseract-ocr-chi-sim" in said(capfd, "in out engine=local engine.tesseract.languages=[chi_sim]")
    assert "engine.tesseract.languages=[mar,hin]" in said(capfd, "in out engine=local engine.tesseract.languages=[mar+hin]")
    assert "codes of three letters" in said(capfd, "in out engine=local engine.tesseract.languages=[marathi]")


@pytest.mark.parametrize(
    ("extra", "command"),
    [
        ("drive", "gdrive://abc out"),
        ("drive", "login drive"),
        ("drive", "watch gs://bucket/in out watch.subscription=projects/p/subscriptions/s"),
        ("parquet", "in out outputs=[parquet]"),
        ("openvino", "in out engine.rapidocr.runtime=openvino"),
    ],
)
def test_a_missing_extra_is_named_with_its_command(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, extra: str, command: str
) -> None:
    monkeypatch.setattr(extras, "is_installed", lambda name: name != extra)
    assert f"needs a package that is not installed. Install it: pip install 'rayocr[{extra}]'" in said(capfd, command)
