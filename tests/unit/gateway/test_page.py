"""The files of the status page, and the data that it receives."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from rayocr.gateway.app import FILES, STATIC, create_app
from rayocr.gateway.history import History
from tests.unit.gateway.run_apis import DONE, PARTIAL, an_api


def test_the_page_comes_without_the_internet_and_under_a_policy_that_lets_nothing_else_run(tmp_path: Path) -> None:
    client = TestClient(create_app(an_api(tmp_path)[0], token="t"))
    page = client.get("/")
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    wanted = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text))
    wanted |= {f"/static/{name}" for path in STATIC.glob("*.js") for name in re.findall(r'from "\./([^"]+)"', path.read_text())}
    assert wanted == {f"/static/{name}" for name in FILES if name != "index.html"}
    for path in wanted:
        assert client.get(path).status_code == 200, path
    for text in (page.text, *(client.get(path).text for path in wanted)):
        assert not re.search(r"https?://(?!www\.w3\.org/)", text)
        assert not re.search(r"""\son\w+=["']|innerHTML|style=["']|<script>""", text), "the policy would block it"
    for path in ("/static/app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static/"):
        assert client.get(path).status_code == 404


def test_a_page_of_a_document_reports_who_read_it_and_what_was_tried(tmp_path: Path) -> None:
    client = TestClient(create_app(an_api(tmp_path)[0], token=None), base_url="http://127.0.0.1")
    read = client.get(f"/documents/{DONE}/pages/2").json()
    assert (read["outcome"], read["engine"], read["text"], read["attempts"]) == ("done", "gemini", "two", [])
    failed = client.get(f"/documents/{PARTIAL}/pages/2").json()
    assert (failed["outcome"], failed["attempts"][0]["reason"]) == ("failed", "Refused")


def test_all_that_failed_for_a_reason_are_retried_at_once(tmp_path: Path) -> None:
    api, asked = an_api(tmp_path)
    client = TestClient(create_app(api, token=None), base_url="http://127.0.0.1")
    assert client.post("/documents/retry", json={"reason": "Truncated"}).json() == {"documents": 0}
    assert client.post("/documents/retry", json={"reason": "Refused"}).json() == {"documents": 1}
    assert client.post("/documents/retry", json={"q": "nonesuch"}).json() == {"documents": 0}
    assert asked == [("retry", "b.pdf")]


def snapshot(at: float) -> dict[str, Any]:
    return {"at": at, "pages_done": int(at) * 10, "totals": {"cost_usd": at / 100}}


def test_the_history_of_a_run_of_days_stays_small_and_ends_with_now() -> None:
    history = History()
    for second in range(200_000):
        history.add(snapshot(float(second)))
    told = history.as_dict()
    assert len(told["recent"]) == 300
    assert 100 < len(told["run"]) <= 402
    assert told["run"][0] == (0.0, 0, 0.0)
    assert told["run"][-1] == told["recent"][-1] == (199_999.0, 1_999_990, 1999.99)
    gaps = [later[0] - earlier[0] for earlier, later in zip(told["run"], told["run"][1:-1], strict=False)]
    assert max(gaps) < 3 * min(gaps)


def test_a_run_that_has_just_started_has_a_history(tmp_path: Path) -> None:
    api, _ = an_api(tmp_path)
    client = TestClient(create_app(api, token=None), base_url="http://127.0.0.1")
    assert client.get("/history").json() == {"recent": [], "run": []}
    api.push(snapshot(1.0))
    assert client.get("/history").json() == {"recent": [[1.0, 10, 0.01]], "run": [[1.0, 10, 0.01]]}
