from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from starlette.testclient import TestClient

from rayocr.config import GatewayConfig
from rayocr.errors import UsageError
from rayocr.gateway.app import create_app
from rayocr.gateway.guard import Guard
from rayocr.gateway.server import check_gateway
from rayocr.storage.memory import MemoryStorage
from tests.unit.gateway.run_apis import DONE, PARTIAL, an_api

LOCAL = "http://127.0.0.1:8080"
STEERING = [
    "/pause",
    "/resume",
    "/drain",
    "/process-file",
    "/documents/retry",
    "/gcs-event",
    f"/documents/{PARTIAL}/retry",
    f"/documents/{PARTIAL}/cancel",
]
READING = [
    "/metrics",
    "/status",
    "/history",
    "/config",
    "/logs",
    "/events",
    "/documents",
    f"/documents/{DONE}",
    f"/documents/{DONE}/pages/1",
]


def test_documents_are_listed_filtered_and_paged(tmp_path: Path) -> None:
    api, _ = an_api(tmp_path)
    client = TestClient(create_app(api, token=None), base_url=LOCAL)
    both = client.get("/documents").json()
    assert [d["document_id"] for d in both["documents"]] == [DONE, PARTIAL]
    assert [d["name"] for d in client.get("/documents?outcome=partial").json()["documents"]] == ["b.pdf"]
    assert [d["name"] for d in client.get("/documents?reason=Refused").json()["documents"]] == ["b.pdf"]
    assert [d["name"] for d in client.get("/documents?q=2024/A").json()["documents"]] == ["2024/a.pdf"]
    first = client.get("/documents?limit=1").json()
    second = client.get(f"/documents?limit=1&cursor={first['cursor']}").json()
    assert [d["name"] for d in (*first["documents"], *second["documents"])] == ["2024/a.pdf", "b.pdf"]


def test_a_document_has_its_pages_texts_and_pictures(tmp_path: Path) -> None:
    api, _ = an_api(tmp_path)
    client = TestClient(create_app(api, token=None), base_url=LOCAL)
    document = client.get(f"/documents/{PARTIAL}").json()
    assert (document["pages"], document["notes"][0]["reason"]) == ({"done": "1", "failed": "2"}, "Refused")
    assert client.get(f"/documents/{DONE}/pages/2").json()["text"] == "two"
    picture = client.get(f"/documents/{DONE}/pages/2/image")
    assert (picture.headers["content-type"], picture.content) == ("image/jpeg", b"\xff\xd8")
    for path in ("/documents/" + "c" * 32, f"/documents/{DONE}/pages/3", f"/documents/{DONE}/pages/3/image"):
        assert client.get(path).status_code == 404
    for path in ("/documents/..%2F..%2Fetc%2Fpasswd", "/documents/%2e%2e", f"/documents/{DONE}/pages/-1"):
        assert client.get(path).status_code in (404, 422)


def test_what_is_asked_for_reaches_the_run(tmp_path: Path) -> None:
    api, asked = an_api(tmp_path)
    client = TestClient(create_app(api, token=None), base_url=LOCAL)
    for path in ("/pause", "/resume", "/drain", f"/documents/{PARTIAL}/retry", f"/documents/{'c' * 32}/cancel"):
        assert client.post(path).status_code == 202
    assert client.post("/process-file", json={"name": "new.pdf"}).json()["document_id"] == "c" * 32
    for name in ("missing.pdf", "notes.txt", ".rayocr/documents/aa/x.json", "../new.pdf.exe"):
        assert client.post("/process-file", json={"name": name}).status_code == 404
    assert client.post(f"/documents/{DONE}/retry").status_code == 400
    assert client.post(f"/documents/{DONE}/cancel").status_code == 400
    api.source = MemoryStorage("another")  # the other source may have a document of that name
    assert client.post(f"/documents/{PARTIAL}/retry").status_code == 400
    assert client.post("/documents/retry", json={}).json() == {"documents": 0}
    assert [what for what, _ in asked] == ["pause", "resume", "drain", "retry", "cancel", "add"]


def push(**attributes: str) -> dict[str, object]:
    data = base64.b64encode(json.dumps({"bucket": "b", "name": "other.pdf"}).encode()).decode()
    return {"message": {"attributes": attributes, "data": "" if attributes else data}, "subscription": "s"}


def test_a_notification_of_cloud_storage_takes_up_its_object(tmp_path: Path) -> None:
    api, asked = an_api(tmp_path)

    class Bucket:
        uri = "gs://b/in"

    api.source = Bucket()  # type: ignore[assignment]
    client = TestClient(create_app(api, token=None), base_url=LOCAL)
    below = push(bucketId="b", objectId="in/new.pdf", eventType="OBJECT_FINALIZE")
    assert client.post("/gcs-event", json=below).json()["accepted"]
    for other in (
        push(bucketId="b", objectId="elsewhere/new.pdf"),
        push(bucketId="b", objectId="in/new.pdf", eventType="OBJECT_DELETE"),
        push(bucketId="b", objectId="in/new.txt"),
        push(),
    ):
        answer = client.post("/gcs-event", json=other)
        assert (answer.status_code, answer.json()["accepted"]) == (202, False)
    assert client.post("/gcs-event", json={"message": {"data": "no base64"}}).status_code == 400
    assert asked == [("add", "new.pdf")]


def test_a_push_that_is_not_from_pubsub_is_refused(tmp_path: Path) -> None:
    api, _asked = an_api(tmp_path)

    def verify(authorization: str) -> None:
        if authorization != "Bearer of Google":
            raise ValueError("forged")

    client = TestClient(create_app(api, token="t", verify_push=verify))
    assert client.post("/gcs-event", json=push(), headers={"Authorization": "Bearer t"}).status_code == 403
    assert client.post("/gcs-event", json=push(), headers={"Authorization": "Bearer of Google"}).status_code == 202


@pytest.mark.parametrize("path", [*STEERING, *READING])
def test_without_the_token_nothing_is_reported_and_nothing_is_done(tmp_path: Path, path: str) -> None:
    api, asked = an_api(tmp_path)
    client = TestClient(create_app(api, token="the-token"))
    ask = client.post if path in STEERING else client.get
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "the-token"}):
        assert ask(path, headers=headers).status_code == 401
    assert asked == []
    assert client.get("/health").status_code == client.get("/").status_code == 200


def test_every_operation_of_the_document_asks_for_the_token(tmp_path: Path) -> None:
    api, asked = an_api(tmp_path)
    app = create_app(api, token="the-token")
    client = TestClient(app)
    operations = [(path, method) for path, methods in app.openapi()["paths"].items() for method in methods]
    assert len(operations) >= 20
    for path, method in operations:
        address = path.format(document_id=DONE, page_number=1)
        status = client.request(method, address, json={"name": "new.pdf"} if method == "post" else None).status_code
        assert status == (200 if path in ("/health", "/ready") else 401), (method, path)
    assert asked == []


def test_a_name_of_the_internet_that_leads_to_this_machine_is_not_answered(tmp_path: Path) -> None:
    app = create_app(an_api(tmp_path)[0], token=None)
    for host in ("evil.example", "evil.example:8080", "127.0.0.1.evil.example", ""):
        assert TestClient(app, base_url=LOCAL, headers={"Host": host}).get("/status").status_code == 403
    for host in ("localhost:8080", "127.0.0.1", "[::1]:8080", "[::1]"):
        assert TestClient(app, base_url=LOCAL, headers={"Host": host}).get("/status").status_code == 200


def test_with_the_token_it_is(tmp_path: Path) -> None:
    api, asked = an_api(tmp_path)
    client = TestClient(create_app(api, token="the-token"), headers={"Authorization": "Bearer the-token"})
    assert client.post("/pause").status_code == 202
    assert asked == [("pause", None)]


def test_another_page_in_the_same_browser_cannot_control_the_run(tmp_path: Path) -> None:
    api, asked = an_api(tmp_path)
    client = TestClient(create_app(api, token=None), base_url=LOCAL)
    assert client.post("/drain", headers={"Origin": "https://elsewhere.example"}).status_code == 403
    assert client.post("/pause", headers={"Origin": LOCAL}).status_code == 202
    assert "access-control-allow-origin" not in client.get("/status", headers={"Origin": "https://elsewhere.example"}).headers
    assert asked == [("pause", None)]


@pytest.mark.parametrize("token", [None, "the-token"])
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_page_makes_a_browser_ask_for_is_refused(tmp_path: Path, token: str | None, site: str) -> None:
    api, asked = an_api(tmp_path)
    headers = {"Authorization": f"Bearer {token}", "Sec-Fetch-Site": site}
    client = TestClient(create_app(api, token=token), base_url=LOCAL, headers=headers)
    assert client.get("/status").status_code == client.post("/drain").status_code == 403
    assert client.get("/").status_code == 200, "a link to the page is allowed"
    assert client.get("/status", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
    assert client.get("/").headers["cross-origin-resource-policy"] == "same-origin"
    assert asked == []


def test_no_body_is_an_error_of_the_server(tmp_path: Path) -> None:
    api, _ = an_api(tmp_path)
    client = TestClient(create_app(api, token=None), base_url=LOCAL, raise_server_exceptions=False)
    deep = b'{"a":' * 9_000 + b"1" + b"}" * 9_000
    bodies = [
        b'{"name": "\\ud800.pdf"}',
        b'{"name": "a\\u0000.pdf"}',
        deep,
        b"[" * 20_000,
        json.dumps({"message": {"data": base64.b64encode(b'{"a":' * 6_000).decode()}}).encode(),
        json.dumps({"message": {"data": base64.b64encode(b"[]").decode()}}).encode(),
        b"\xff\xfe",
    ]
    for path in ("/process-file", "/gcs-event", "/documents/retry"):
        for body in bodies:
            answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code < 500, (path, body[:30], answer.text)
            answer.json()


def test_large_bodies_and_storms_are_refused(tmp_path: Path) -> None:
    api, _ = an_api(tmp_path)
    client = TestClient(create_app(api, token=None), base_url=LOCAL)
    assert client.post("/process-file", content=b"x" * 70_000).status_code == 413
    now = [0.0]
    slow = TestClient(Guard(create_app(api, token=None), token=None, clock=lambda: now[0]), base_url=LOCAL)
    codes = [slow.get("/ready").status_code for _ in range(201)]
    assert (codes.count(200), codes[-1]) == (200, 429)
    assert slow.get("/health").status_code == 200, "heavy traffic must not make the run appear dead"
    now[0] += 1.0
    assert slow.get("/ready").status_code == 200


def test_a_storm_of_clients_without_the_token_does_not_lock_its_owner_out(tmp_path: Path) -> None:
    """`rayocr-drain-run` must reach the run before its container ends."""
    api, _ = an_api(tmp_path)
    client = TestClient(Guard(create_app(api, token=None), token="t", clock=lambda: 0.0), base_url=LOCAL)
    assert [client.get("/").status_code for _ in range(300)][-1] == 429
    assert client.post("/drain").status_code == 429
    assert client.post("/drain", headers={"Authorization": "Bearer t"}).status_code == 202


def test_a_run_that_hangs_is_not_live(tmp_path: Path) -> None:
    api, _ = an_api(tmp_path)
    client = TestClient(create_app(api, token=None), base_url=LOCAL)
    assert client.get("/health").status_code == 200
    api.pushed_at -= 7200
    assert client.get("/health").status_code == 503
    api.readiness = lambda: {"locks": "away"}
    answer = client.get("/ready")
    assert (answer.status_code, answer.json()["detail"]) == (503, {"locks": "away"})


def test_an_address_that_others_reach_needs_a_token() -> None:
    with pytest.raises(UsageError, match="RAYOCR_API_TOKEN"):
        check_gateway(GatewayConfig(host="0.0.0.0"), None)
    check_gateway(GatewayConfig(host="0.0.0.0"), "t")
    check_gateway(GatewayConfig(), None)


def test_pushes_are_of_one_account() -> None:
    with pytest.raises(UsageError, match="push_account"):
        check_gateway(GatewayConfig(push_audience="https://h/gcs-event"), "t")
    check_gateway(GatewayConfig(push_audience="https://h/gcs-event", push_account="robot@p"), "t")


@pytest.mark.filterwarnings("ignore")
def test_whatever_the_document_of_the_api_allows_is_answered_as_it_says(tmp_path: Path) -> None:
    import schemathesis  # takes two seconds of CPU, in every process that collects this file
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

    api, _ = an_api(tmp_path)
    app = create_app(api, token=None)
    app.user_middleware.clear()  # the rate limit is tested above
    # Excludes /events, which does not end: schemathesis waits for the end of an answer.
    schema = schemathesis.openapi.from_asgi("/openapi.json", app).exclude(path="/events")
    checks = [not_a_server_error, status_code_conformance, response_schema_conformance]
    asked = 0
    for operation in schema.get_all_operations():
        strategy = operation.ok().as_strategy()

        @settings(max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
        @given(case=strategy)
        def ask(case: Any) -> None:
            nonlocal asked
            asked += 1
            case.call_and_validate(checks=checks)

        ask()
    assert asked > 100
