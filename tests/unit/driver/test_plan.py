from __future__ import annotations

import errno
import os
from pathlib import Path
from uuid import uuid4

import pytest

from rayocr.actors.discovery.actor import Discovery, DiscoveryRules
from rayocr.composition import compose, samples_dir
from rayocr.driver import plan as plan_module
from rayocr.driver.places import source as source_module
from rayocr.driver.plan import Scope, existing_state, plan, scope
from rayocr.errors import ObjectNotFound, StorageDenied, UsageError
from rayocr.storage.factory import open_storage
from rayocr.storage.memory import MemoryStorage


def rules(source: Path, dest: Path) -> DiscoveryRules:
    overrides = [f"source={source}", f"dest={dest}", "allow_dest_in_source=true", "engine=textlayer"]
    return DiscoveryRules(exclude=scope(compose(overrides)).exclude)


def test_pdfs_that_were_written_beside_their_sources_are_not_read(tmp_path: Path) -> None:
    admitted = rules(tmp_path, tmp_path)
    assert admitted.admits("2024/a.pdf")
    assert not admitted.admits("2024/a.clean.pdf")


def test_elsewhere_a_source_may_have_the_name_of_an_output(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert rules(tmp_path / "in", tmp_path / "out").admits("a.clean.pdf")
    inside = rules(tmp_path / "in", tmp_path / "in" / "out")
    assert inside.admits("a.clean.pdf")
    assert not inside.admits("out/a.clean.pdf")


def test_a_folder_with_results_is_read_without_the_pdfs_that_rayocr_wrote(tmp_path: Path) -> None:
    """With IN and OUT swapped, a run read its own clean PDFs and wrote clean PDFs of them into the source."""
    manifest = tmp_path / "out" / ".rayocr" / "documents" / "ab" / "ab12.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text("{}")
    admitted = rules(tmp_path / "out", tmp_path / "in")
    assert admitted.admits("2024/a.pdf")
    assert not admitted.admits("2024/a.clean.pdf")
    assert not admitted.admits("2024/a.searchable.pdf")


def test_one_file_may_be_read_into_its_own_folder_where_nothing_else_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"")
    found = scope(compose([f"source={tmp_path / 'a.pdf'}", f"dest={tmp_path}", "engine=textlayer"]))
    admitted = DiscoveryRules(include=found.include, exclude=found.exclude)
    assert admitted.admits("a.pdf")
    assert not admitted.admits("a.clean.pdf")
    assert not admitted.admits("b.pdf")


def test_nothing_that_lies_beside_one_file_is_examined(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"a")
    (tmp_path / "b.pdf").symlink_to("nowhere")
    found = scope(compose([f"source={tmp_path / 'a.pdf'}", f"dest={tmp_path / 'out'}", "engine=textlayer"]))
    rules = DiscoveryRules(only=found.only, include=found.include, exclude=found.exclude)
    batch = Discovery(found.source, MemoryStorage("state"), rules).next_batch(10)
    assert ([document.name for document in batch.documents], batch.exhausted) == (["a.pdf"], True)
    assert (batch.totals.found, batch.totals.unreadable) == (1, 0)
    (tmp_path / "a.pdf").unlink()
    assert Discovery(found.source, MemoryStorage("state"), rules).next_batch(10).exhausted


def test_a_file_that_is_not_a_pdf_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(UsageError, match=r"does not end in \.pdf"):
        scope(compose([f"source={tmp_path / 'notes.txt'}", f"dest={tmp_path / 'out'}", "engine=textlayer"]))


def test_the_broken_samples_are_skipped_unless_the_samples_were_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "samples").mkdir()
    assert scope(compose(["source=samples", "engine=textlayer"], {})).exclude == ()
    bundled = scope(compose(["engine=textlayer"], {}))
    assert (bundled.exclude, bundled.source.uri) == (("broken/*",), open_storage(str(samples_dir())).uri)


def refuse(*_: object, **__: object) -> bool:
    raise PermissionError(errno.EACCES, "Permission denied")


def test_a_source_below_a_folder_without_permission_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    config = compose(["source=/root/secret", "engine=textlayer"], {})
    monkeypatch.setattr(Path, "is_file", refuse)
    with pytest.raises(StorageDenied, match=r"^No permission to read /root/secret\.$"):
        scope(config)


def test_a_single_file_without_permission_ends_the_run_before_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.pdf").write_bytes(b"a")
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StorageDenied, match=r"^No permission to read .*/a\.pdf\.$"):
        scope(compose([f"source={tmp_path / 'a.pdf'}", f"dest={tmp_path / 'out'}", "engine=textlayer"], {}))


def test_a_destination_without_permission_is_named_and_not_the_probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    config = compose([f"source={tmp_path / 'in'}", f"dest={tmp_path / 'out'}", "engine=textlayer"], {})
    monkeypatch.setattr(os, "mkdir", refuse)
    monkeypatch.setattr(os, "makedirs", lambda *_, **__: None)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(StorageDenied, match=r"(?m)^No permission to write .*/out\.$"):
        plan(config)


class Bucket(MemoryStorage):
    def __init__(self, *names: str, denied: tuple[str, ...] = ()) -> None:
        super().__init__(uuid4().hex)
        for name in names:
            self.write(name, b"%PDF-")
        self.denied = denied

    def read(self, name: str, **options: object) -> bytes:
        if name in self.denied:
            raise StorageDenied(f"No permission to read {name}.", hint="The role Object Viewer.")
        return super().read(name, **options)  # type: ignore[arg-type]


def scoped(monkeypatch: pytest.MonkeyPatch, bucket: Bucket, source: str, *overrides: str) -> Scope:
    monkeypatch.setattr(source_module, "open_storage", lambda *_, **__: bucket)
    return scope(compose([f"source={source}", "dest=gs://other-bucket/out", "engine=textlayer", *overrides]))


def test_listing_that_is_allowed_where_reading_is_denied_is_reported_before_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{number}.pdf" for number in range(9)]
    with pytest.raises(StorageDenied, match=r"read 0\.pdf"):
        scoped(monkeypatch, Bucket(*names, denied=tuple(names)), "gs://bucket/in")
    scoped(monkeypatch, Bucket(*names, denied=("0.pdf", "1.pdf")), "gs://bucket/in")  # others can be read


def test_a_prefix_with_nothing_below_it_is_a_usage_error_but_in_a_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="There are no objects below gs://bucket/misspelt"):
        scoped(monkeypatch, Bucket(), "gs://bucket/misspelt")
    scoped(monkeypatch, Bucket(), "gs://bucket/inbox", "mode=watch")


def test_an_object_as_the_source_is_read_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    found = scoped(monkeypatch, Bucket("a.pdf", "b.pdf"), "gs://bucket/dir/a.pdf")
    assert (found.only, found.include) == ("a.pdf", ("a.pdf",))
    assert scoped(monkeypatch, Bucket("x.pdf"), "gs://bucket/dir.pdf").only is None, "a prefix that ends in .pdf"


def test_a_socks_proxy_is_named_where_a_server_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://user:sesame@127.0.0.1:1080")
    with pytest.raises(UsageError, match="SOCKS proxy") as raised:
        scoped(monkeypatch, Bucket("a.pdf"), "gs://bucket/in")
    assert "sesame" not in str(raised.value)
    scope(compose([f"source={tmp_path}", f"dest={tmp_path / 'out'}", "engine=textlayer", "allow_dest_in_source=true"]))


def test_a_pattern_that_the_shell_did_not_expand_is_explained(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist") as raised:
        scope(compose([f"source={tmp_path}/scan [1] *.pdf", "dest=out", "engine=textlayer"], {}))
    assert raised.value.hint == "For a pattern, name the folder and set include=."
    assert raised.value.shell_hint == f"For example: rayocr {tmp_path} OUT \"include=['scan [1] *.pdf']\""


def test_a_misspelled_source_is_answered_with_the_most_similar_name(tmp_path: Path) -> None:
    (tmp_path / "my documents").mkdir()
    (tmp_path / "Letter.PDF").touch()
    (tmp_path / "letters.txt").touch()

    def hint(source: str) -> str | None:
        with pytest.raises(UsageError, match="does not exist") as raised:
            scope(compose([f"source={tmp_path}/{source}", "dest=out", "engine=textlayer"], {}))
        return raised.value.hint

    assert hint("my document") == f'Check the path of the source. Did you mean "{tmp_path}/my documents"?'
    assert hint("Leter.PDF") == f"Check the path of the source. Did you mean {tmp_path}/Letter.PDF?"
    assert hint("letters") == hint("nowhere/letters") == "Check the path of the source."


def test_a_destination_that_is_a_file_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").touch()
    with pytest.raises(UsageError, match=r"is a file\.\nName a folder"):
        plan(compose([f"source={tmp_path}", f"dest={tmp_path}/a.pdf", "engine=textlayer"], {}))


def test_results_in_a_bucket_that_does_not_exist_are_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class NoBucket(MemoryStorage):
        def check_readable(self) -> None:
            raise ObjectNotFound("There is no object gs://nowhere/out.")

    monkeypatch.setattr(plan_module, "open_storage", lambda *_, **__: NoBucket("out"))
    with pytest.raises(UsageError, match="gs://nowhere/out does not exist, so it holds no results"):
        existing_state(compose(["mode=status", "dest=gs://nowhere/out"], {}))


@pytest.mark.parametrize("chain", ["[gemini]", "[rapidocr,gemini]", "[gemini,textlayer]"])
def test_the_lane_local_needs_a_local_engine_after_gemini(tmp_path: Path, chain: str) -> None:
    options = ["engine=gemini", f"engine.chain={chain}", "objective=cost", "engine.lanes=[local,flex]"]
    with pytest.raises(UsageError, match="no local engine after gemini"):
        scope(compose([f"source={tmp_path}", f"dest={tmp_path / 'out'}", *options]))
