from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from rayocr import composition
from rayocr.cli.arguments import parse
from rayocr.composition import compose, load_dotenv, prompt_text, secrets_from_environment, source_accesses
from rayocr.config import Secrets
from rayocr.errors import CredentialsError, UsageError
from rayocr.overrides import composing


def test_without_a_key_the_local_chain_is_chosen() -> None:
    assert compose([], {}).engine.chain == ["textlayer", "rapidocr", "tesseract?"]


@pytest.mark.parametrize("name", ["GEMINI_API_KEY", "GOOGLE_API_KEY"])
def test_with_a_key_gemini_is_chosen(name: str) -> None:
    assert compose([], {name: "k"}).engine.chain == ["gemini", "rapidocr"]


def test_markdown_and_a_clean_pdf_are_written_unless_configured_otherwise() -> None:
    assert compose([], {}).outputs == ["markdown", "clean_pdf"]


def test_a_named_engine_wins_over_the_key() -> None:
    assert compose(["engine=textlayer"], {"GEMINI_API_KEY": "k"}).engine.chain == ["textlayer"]


def test_an_override_wins_over_the_environment_and_that_over_conf() -> None:
    environment = {"MAX_RETRIES": "7", "GEMINI_GLOBAL_CONCURRENCY": "12"}
    config = compose(["retry.max_attempts=2"], environment)
    assert (config.retry.max_attempts, config.limits.max_in_flight) == (2, 12)


@pytest.mark.parametrize("path", ["a b", "x (1), [y]", "é=ü", "$HOME", "${oc.env:HOME}", "a'b", 'a"b', "line\nbreak", "{a: b}"])
def test_paths_are_taken_as_they_stand(path: str) -> None:
    assert compose([f"source={path}", f"dest={path}"], {}).source == path


def test_quotes_around_a_path_are_taken_off() -> None:
    assert compose(["source='my in'"], {}).source == "my in"


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("sorce=x", "Did you mean source?"),
        ("limits.rpmm=3", "Did you mean limits.rpm?"),
        ("engine.gemini.modl=x", "Did you mean engine.gemini.model?"),
        ("nonsense=1", "--help"),
        (
            "pages=1-2",
            "Unknown option 'pages'. `rayocr --help pages` searches the options, `rayocr --help` lists the most used ones.",
        ),
        ("languages=hi", "Unknown option 'languages'. Did you mean engine.tesseract.languages?"),
        ("+extra=1", "Unknown option"),
        ("limits.rpm=abc", "limits.rpm=abc is not a number. For example: limits.rpm=600"),
        (
            "engine.openai.base_url=localhost:9000",
            "http:// or https:// is missing. For example: engine.openai.base_url=http://loc",
        ),
        ("min_bytes=5MB", "min_bytes=5MB is not a whole number. For example: min_bytes=5000000"),
        ("dedup.pages=maybe", "dedup.pages=maybe is not true or false."),
        ("limits.rpm=-1", "at least"),
        ("limits.rpm=nan", "must be a number"),
        ("budget.usd=inf", "must be a number"),
        ("include=a/*,b/*", "include=['a/*','b/*']"),
        ("workers.max=0", "at least"),
        ("engine=foo", "Choose one of"),
        ("mode=foo", "mode=foo is unknown. Choose one of run, status"),
        ("in/", "key=value"),
        ("--source=in", "key=value"),
        ("source=", "is empty"),
        ("outputs=[]", "outputs"),
        ("include=[a", "quotes"),
        ("progress=loud", "progress"),
        ("locks.backend=etcd", "locks.backend"),
        ("gateway.port=99999", "gateway.port is 99999; it must be at most 65535"),
    ],
)
def test_a_wrong_option_is_answered_with_one_helpful_line(override: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        compose([override], {})
    assert words in f"{caught.value} {caught.value.hint}"
    assert "\n" not in str(caught.value)


def test_a_variable_that_is_not_a_number_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="MAX_RETRIES"):
        compose([], {"MAX_RETRIES": "many"})


def test_the_fingerprint_follows_what_can_change_the_text_and_nothing_else() -> None:
    base = compose([], {}).fingerprint()
    assert compose(["workers.max=7", "dest=elsewhere"], {}).fingerprint() == base
    assert compose(["engine.gemini.model=other"], {}).fingerprint() == base  # not in the chain
    assert compose(["engine.rapidocr.dpi=150"], {}).fingerprint() != base
    assert compose(["engine=textlayer"], {}).fingerprint() != base


def test_keys_lose_the_line_break_at_their_end_and_cannot_contain_one() -> None:
    names = {"GEMINI_API_KEY": "gemini_api_key", "OPENAI_API_KEY": "openai_api_key", "SUPABASE_API_KEY": "supabase_api_key"}
    for name, field in (names | {"RAYOCR_API_TOKEN": "api_token", "REDIS_URL": "redis_url"}).items():
        assert getattr(secrets_from_environment({name: " a-key\r\n"}), field) == "a-key"
        assert getattr(secrets_from_environment({name: " \n"}), field) is None
    for name in names:
        with pytest.raises(CredentialsError, match=f"{name} contains a line break") as raised:
            secrets_from_environment({name: "one\ntwo"})
        assert "one" not in str(raised.value)


def test_keys_are_masked_wherever_they_are_printed() -> None:
    keys = secrets_from_environment({"GEMINI_API_KEY": "AIza-secret", "REDIS_URL": "redis://:sesame@host"})
    assert (keys.gemini_api_key, keys.redis_url) == ("AIza-secret", "redis://:sesame@host")
    every = Secrets(**{field.name: f"sesame-{field.name}" for field in fields(Secrets)})
    for shown in (f"{keys}", repr(keys), f"{every}", repr(every)):
        assert "AIza" not in shown
        assert "sesame" not in shown
    assert "gemini_api_key=None" in repr(Secrets())  # a missing value is not a secret


def test_a_prompt_of_ones_own_is_read_from_its_file(tmp_path: Path) -> None:
    own = tmp_path / "own.md"
    own.write_text("Read it.\n")
    assert prompt_text(compose([f"engine.gemini.prompt={own}"], {})) == "Read it."


def test_an_unknown_prompt_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="transcribe"):
        prompt_text(compose(["engine.gemini.prompt=poetry"], {}))


def test_each_place_takes_from_the_environment_what_is_for_its_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {"GOOGLE_DRIVE_CREDENTIALS": "keys/robot.json", "STORAGE_EMULATOR_HOST": "http://127.0.0.1:1"}
    storage = compose(["source=gdrive://abc", "dest=gs://b/x"], environment).storage
    assert (storage.source.credentials, storage.source.endpoint) == (str(tmp_path / "keys" / "robot.json"), None)
    assert (storage.dest.credentials, storage.dest.endpoint) == (None, "http://127.0.0.1:1")
    assert storage.state == storage.dest
    given = ["source=in", "dest=gdrive://abc", "state=gs://b/x", "storage.dest.credentials=/mine [1].json"]
    storage = compose(given, environment).storage
    assert storage.source.credentials is None
    assert storage.dest.credentials == "/mine [1].json"
    assert (storage.state.credentials, storage.state.endpoint) == (None, "http://127.0.0.1:1")


def test_the_old_names_of_two_drive_folders_keep_working() -> None:
    environment = {
        "STORAGE_BACKEND": "drive",
        "DRIVE_SOURCE_FOLDER_ID": "1in",
        "DRIVE_DEST_FOLDER_ID": "1out",
        "GOOGLE_DRIVE_CREDENTIALS": "/robot.json",
    }
    config = compose([], environment)
    assert (config.source, config.dest) == ("gdrive://1in", "gdrive://1out")
    assert {config.storage.source.credentials, config.storage.dest.credentials} == {"/robot.json"}


BUCKET = {"STORAGE_BACKEND": "gcs", "GCS_BUCKET_NAME": "bucket", "GCS_DEST_PREFIX": "out/"}


@pytest.mark.parametrize("prefix", ["", "/"])
def test_the_old_names_of_a_bucket_may_have_the_destination_inside_the_source(prefix: str) -> None:
    config = compose([], BUCKET | {"GCS_SOURCE_PREFIX": prefix})
    assert (config.source, config.dest, config.allow_dest_in_source) == ("gs://bucket", "gs://bucket/out", True)


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        ([], {"GCS_SOURCE_PREFIX": "out"}),
        ([], {"GCS_SOURCE_PREFIX": "out/in"}),
        (["source=gs://bucket"], {}),
        (["dest=gs://bucket/x"], {}),
        (["allow_dest_in_source=false"], {}),
    ],
)
def test_places_of_any_other_origin_may_not(arguments: list[str], variables: dict[str, str]) -> None:
    assert not compose(arguments, BUCKET | variables).allow_dest_in_source


def test_old_numbers_that_were_right_are_right() -> None:
    config = compose([], {"MAX_RETRIES": "0", "POLL_INTERVAL": "2.5"})
    assert (config.retry.max_attempts, config.poll_interval_s) == (1, 2.5)
    for variables in ({"MAX_RETRIES": "1.5"}, {"POLL_INTERVAL": "soon"}, {"POLL_INTERVAL": "nan"}, {"POLL_INTERVAL": "-1"}):
        with pytest.raises(UsageError, match=next(iter(variables))):
            compose([], variables)


@pytest.mark.parametrize(
    ("arguments", "variables", "backend"),
    [
        ([], BUCKET, "redis"),
        (["locks.ttl_s=60"], BUCKET, "redis"),
        (["locks=file"], BUCKET, "file"),
        (["locks.backend=file"], BUCKET, "file"),
        ([], {}, "file"),
    ],
)
def test_a_redis_beside_the_old_names_keeps_the_locks(arguments: list[str], variables: dict[str, str], backend: str) -> None:
    assert compose(arguments, {"REDIS_URL": "redis://r", **variables}).locks.backend == backend
    assert compose(arguments, variables).locks.backend == "file"


def test_a_sign_in_says_to_what_by_a_word_alone() -> None:
    config = compose(parse(["mode=login", "drive"]).overrides, {"GOOGLE_DRIVE_CREDENTIALS": "client.json"})
    assert (config.login.service, config.login.client) == ("drive", "client.json")
    with pytest.raises(UsageError, match="Choose one of drive"):
        compose(parse(["mode=login", "gcs"]).overrides, {})
    with pytest.raises(UsageError, match="key=value"):
        compose(["drive"], {})


def test_an_environment_file_in_utf_16_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes("GEMINI_API_KEY=x".encode("utf-16"))
    with pytest.raises(UsageError, match=r"Cannot read \.env"):
        load_dotenv()


def test_the_image_chooses_where_logs_go_and_the_command_line_overrides_it() -> None:
    image = {"RAYOCR_LOGS_STDOUT": "json"}
    assert compose([], {}).logs.stdout == "none"
    assert compose([], image).logs.stdout == "json"
    assert compose(["logs.stdout=none"], image).logs.stdout == "none"
    with pytest.raises(UsageError, match=r"logs\.stdout=xml is unknown\.\nChoose one of none, json"):
        compose([], {"RAYOCR_LOGS_STDOUT": "xml"})


def test_an_exit_code_for_partial_documents_is_0_or_1() -> None:
    with pytest.raises(UsageError, match=r"exit\.partial=7 is unknown"):
        compose(["exit.partial=7"], {})


@pytest.mark.parametrize(
    ("options", "lanes"),
    [
        (["objective=cost"], ["batch", "flex"]),
        (["objective=speed"], []),
        (["objective=deadline", "deadline=6h"], ["batch", "flex", "standard"]),
        (["objective=deadline", "deadline=6h", "engine.lanes=[flex,standard]"], ["flex", "standard"]),
        (["objective=speed", "engine.lanes=[local,standard]"], ["local", "standard"]),
    ],
)
def test_an_objective_chooses_the_lanes(options: list[str], lanes: list[str]) -> None:
    engine = compose(["engine=gemini", *options], {}).engine
    assert (engine.lanes, engine.gemini.tier) == (lanes, "standard")


@pytest.mark.parametrize(
    "options",
    [
        ["objective=deadline"],
        ["deadline=6h"],
        ["objective=cost", "deadline=6h"],
        ["objective=cheap"],
        ["objective=speed", "engine.gemini.tier=flex"],
        ["objective=cost", "engine.batch=true"],
        ["engine.lanes=[flex]"],
        ["objective=cost", "engine.lanes=[train]"],
        ["objective=cost", "engine.lanes=[local]"],
        ["objective=cost", "engine.lanes=[local,flex]", "engine.local_confidence=1.1"],
    ],
)
def test_an_objective_that_contradicts_another_option_is_refused(options: list[str]) -> None:
    with pytest.raises(UsageError):
        compose(["engine=gemini", *options], {})


def test_sources_on_record_are_accessed_as_the_destination_or_with_the_environment() -> None:
    environment = {"GOOGLE_DRIVE_CREDENTIALS": "/keys/drive.json", "STORAGE_EMULATOR_HOST": "http://127.0.0.1:9"}
    named = compose(["source=in", "dest=gs://b/out"], environment)
    assert source_accesses(named, environment) == {}
    found = source_accesses(compose(["mode=view", "dest=gs://b/out", "storage.dest.user_project=p"], environment), environment)
    assert found["gdrive"].credentials == "/keys/drive.json"
    assert (found["gs"].user_project, found["gs"].endpoint) == ("p", "http://127.0.0.1:9")
    own = compose(["mode=view", "dest=out", "storage.source.credentials=/keys/own.json"], environment)
    assert source_accesses(own, environment) == {}


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["engine=gemini", "limits.rpm=60", "outputs=[markdown]"],
        ["limits=free", "limits.rpm=3", "limits.rpm=4", "locks=redis"],
        ["++limits.models={m: {rpm: 5}}", "++engine.openai.extra_body.x=1"],
        ["+limits.cpus=1"],
        ["~limits"],
        ["engine=nothing"],
        ["engine@other=gemini"],
        ["limits.rpm=1,2"],
        ["limits.rpm=abc"],
        ["limits.models={a: {rpm: 1}}"],
        ["unknown=1"],
        ["++limits.models={m: {rpm: 5}}", "++limits.models={n: {rpm: 6}}"],
    ],
)
def test_composed_files_that_are_reused_give_what_hydra_composes(overrides: list[str]) -> None:
    parsed = [OverridesParser.create().parse_override(override) for override in overrides]

    def outcome(composed: Callable[[], DictConfig]) -> object:
        try:
            return OmegaConf.to_object(composed())
        except Exception as error:
            return type(error), str(error)

    expected = outcome(lambda: composing._composed_by_hydra(overrides, composition.conf_dir()))
    for _ in range(2):
        assert outcome(lambda: composing._composed(overrides, parsed, composition.conf_dir())) == expected


def test_hydra_composes_the_files_once_until_one_of_them_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(composition.conf_dir(), tmp_path / "conf")
    monkeypatch.setattr(composition, "conf_dir", lambda: tmp_path / "conf")
    by_hydra: list[list[str]] = []
    by = composing._composed_by_hydra
    monkeypatch.setattr(composing, "_composed_by_hydra", lambda given, conf: by_hydra.append(given) or by(given, conf))
    assert [compose([f"limits.rpm={n}"], {}).limits.rpm for n in (3, 4)] == [3, 4]
    assert compose([], {}).limits.rpm is None
    assert by_hydra == [["engine=local"]]
    with (tmp_path / "conf" / "config.yaml").open("a") as file:
        file.write("\nmin_bytes: 7\n")
    os.utime(tmp_path / "conf" / "config.yaml", ns=(1, 1))
    assert compose([], {}).min_bytes == 7


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("outputs=markdown", ["markdown"]),
        ("outputs=markdown,jsonl", ["markdown", "jsonl"]),
        ("outputs=[markdown]", ["markdown"]),
        ("++outputs=markdown", ["markdown"]),
        ("engine.chain=tesseract?", ["tesseract?"]),
        ("engine.chain=textlayer, rapidocr", ["textlayer", "rapidocr"]),
        ("engine.tesseract.languages=deu+eng", ["deu", "eng"]),
        ("include=reports/*", ["reports/*"]),
        ("include=Anhänge [neu].pdf", ["Anhänge [neu].pdf"]),
        ("include='a, b.pdf'", ["a, b.pdf"]),
        ("exclude=*.bak.pdf", ["*.bak.pdf"]),
    ],
)
def test_a_list_may_be_written_without_brackets(override: str, value: list[str]) -> None:
    config = compose([override], {})
    found: Any = config
    for name in override.partition("=")[0].lstrip("+").split("."):
        found = getattr(found, name)
    assert list(found) == value
