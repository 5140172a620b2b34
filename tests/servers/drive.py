"""A strict server of the Google Drive API, version 3, on the standard library. It answers unknown requests with 400; faults are
scripted.

As in Drive, names are not unique, files have ids, a page of a listing has at most a thousand files, only requests with
supportsAllDrives see shared drives, an id can be used once, and a replaced file has a new head revision. An answer contains only
the requested `fields`.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import threading
import time
import urllib.parse
from collections import Counter
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.servers.drive_query import parse
from tests.servers.drive_store import FOLDER, SHORTCUT, Drive, new_id
from tests.servers.faults import Fault, fault_for

_COMMON = {"alt", "fields", "supportsAllDrives", "prettyPrint", "uploadType"}
_LISTED = {"q", "pageSize", "pageToken", "spaces", "corpora", "driveId", "includeItemsFromAllDrives"}


class Refusal(Exception):
    def __init__(self, status: int, reason: str, message: str = "scripted", headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.reason, self.message, self.headers = status, reason, message, headers or {}


class DriveServer:
    def __init__(self) -> None:
        self.drive = Drive()
        self.requests: Counter[str] = Counter()  # by method and kind
        self.log: list[str] = []
        self.faults: list[Fault] = []
        self.tokens: set[str] | None = None  # accepted tokens; None accepts all
        self.sessions: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def folder(self, name: str = "root", **more: Any) -> str:
        return self.drive.add(name, [], **more)

    def shared_drive(self, name: str = "shared") -> str:
        identifier = new_id()
        return self.drive.add(name, [], identifier=identifier, driveId=identifier)

    def script(self, **fault: Any) -> None:
        with self._lock:
            self.faults.append(Fault(**fault))

    def calm(self) -> None:
        with self._lock:
            self.faults.clear()
            self.requests.clear()
            self.log.clear()
            self.tokens = None

    def fault_of(self, request: str) -> Fault | None:
        with self._lock:
            self.requests[_kind(request)] += 1
            self.log.append(request)
            return fault_for(request, self.faults)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def _kind(request: str) -> str:
    method, _, target = request.partition(" ")
    path, _, query = target.partition("?")
    if path.startswith(("/upload/", "/resumable/")):
        return f"{method} upload"
    if "alt=media" in query:
        return "GET media"
    return f"{method} {path.removeprefix('/drive/v3/').partition('/')[0]}" + ("" if path.count("/") <= 3 else "/id")


class _Work:
    """Processes one request with the Drive's lock held."""

    def __init__(self, server: DriveServer, method: str, target: str, headers: Any, body: bytes) -> None:
        self.server, self.drive, self.method, self.headers, self.body = server, server.drive, method, headers, body
        parts = urllib.parse.urlsplit(target)
        self.path = parts.path
        self.query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        with self.drive.lock:
            if self.path.startswith(("/upload/drive/v3/files", "/resumable/upload/drive/v3/files")):
                return self._upload()
            if not self.path.startswith("/drive/v3/"):
                raise Refusal(404, "notFound", f"no such address {self.path}")
            parts = self.path.removeprefix("/drive/v3/").split("/")
            if parts[0] == "changes":
                return self._changes(parts)
            if parts == ["about"] and self.method == "GET":
                return self._json({"user": {"displayName": "Robot", "emailAddress": "robot@example.org"}})
            if parts[0] != "files" or len(parts) > 2:
                raise Refusal(404, "notFound", f"no such address {self.path}")
            if len(parts) == 1:
                return self._list() if self.method == "GET" else self._create(json.loads(self.body or b"{}"))
            if parts[1] == "generateIds":
                return self._generate()
            return self._one(parts[1])

    # -- files --------------------------------------------------------------------------------------------------------------

    def _list(self) -> tuple[int, dict[str, str], bytes]:
        self._only(_COMMON | _LISTED)
        try:
            test = parse(self.query.get("q", ""))
        except ValueError as error:
            raise Refusal(400, "invalid", f"Invalid Value: {error}") from error
        parents = re.findall(r"'([^']*)' in parents", self.query.get("q", ""))
        for parent in parents:
            self._seen(parent, "File not found: .")
        among = list(self.drive.files) if len(parents) != 1 else list(self.drive.children.get(parents[0], ()))
        wide = self.query.get("includeItemsFromAllDrives") == "true" == self.query.get("supportsAllDrives")
        corpora = self.query.get("corpora", "user")
        if (corpora == "drive") != ("driveId" in self.query) or (corpora == "drive" and not wide):
            raise Refusal(400, "invalid", "driveId goes with corpora=drive and includeItemsFromAllDrives")
        self._member()
        size = int(self.query.get("pageSize", "100"))
        if not 1 <= size <= 1000:
            raise Refusal(400, "invalid", "pageSize")
        start = self._offset()

        def in_corpus(file: dict[str, Any]) -> bool:
            drive = file.get("driveId")
            return (wide or not drive) and (corpora == "user" or drive == self.query["driveId"])

        files = map(self.drive.files.__getitem__, among)
        found = [f for f in files if test(f) and in_corpus(f) and f["name"] not in self.drive.unlisted]
        answer: dict[str, Any] = {"kind": "drive#fileList", "incompleteSearch": False, "files": found[start : start + size]}
        if start + size < len(found):
            answer["nextPageToken"] = f"page-{start + size}"
        return self._json(answer, default="kind,incompleteSearch,files(kind,id,name,mimeType)")

    def _offset(self) -> int:
        token = self.query.get("pageToken", "page-0")
        if not re.fullmatch(r"page-\d+", token):
            raise Refusal(400, "invalid", "Invalid Value: pageToken")
        return int(token.removeprefix("page-"))

    def _one(self, identifier: str) -> tuple[int, dict[str, str], bytes]:
        self._only(_COMMON | ({"acknowledgeAbuse"} if self.method == "GET" else set()))
        file = self._seen(identifier)
        needed = self.drive.keys.get(identifier)
        if needed and f"{identifier}/{needed}" not in (self.headers.get("X-Goog-Drive-Resource-Keys") or "").split(","):
            raise Refusal(404, "notFound", f"File not found: {identifier}.")
        if self.method == "GET":
            return self._media(file) if self.query.get("alt") == "media" else self._json(file)
        self._may_write(file)
        if self.method == "DELETE":
            if self.drive.undeletable:
                raise Refusal(403, "insufficientFilePermissions", "The user does not have sufficient permissions for this file.")
            self._delete(identifier)
            return 204, {}, b""
        if self.method == "PATCH":
            self._patch(file, json.loads(self.body or b"{}"))
            return self._json(file)
        raise Refusal(404, "notFound", self.method)

    def _delete(self, identifier: str) -> None:
        for child in list(self.drive.children.pop(identifier, ())):
            self._delete(child)
        for parent in self.drive.files.pop(identifier)["parents"]:
            self.drive.children.get(parent, {}).pop(identifier, None)
        self.drive.content.pop(identifier, None)
        self.drive.changes.append(identifier)

    def _patch(self, file: dict[str, Any], body: dict[str, Any]) -> None:
        if unknown := set(body) - {"name", "trashed", "appProperties", "mimeType", "modifiedTime"}:
            raise Refusal(403, "fieldNotWritable", f"not writable: {unknown}")
        file["appProperties"] |= body.pop("appProperties", {})
        file |= body
        self.drive.changes.append(file["id"])

    def _create(self, body: dict[str, Any], data: bytes | None = None) -> tuple[int, dict[str, str], bytes]:
        if self.method != "POST":
            raise Refusal(404, "notFound", self.method)
        self._only(_COMMON)
        if unknown := set(body) - {"id", "name", "mimeType", "parents", "appProperties", "shortcutDetails"}:
            raise Refusal(403, "fieldNotWritable", f"not writable: {unknown}")
        identifier = body.get("id", "")
        if identifier in self.drive.files:
            raise Refusal(409, "fileIdInUse", "A file already exists with the provided ID.")
        if identifier and identifier not in self.drive.ids:
            raise Refusal(400, "invalid", "The provided file ID is not usable.")
        if len(body.get("parents", [])) != 1:
            raise Refusal(400, "badRequest", "one parent")
        self._may_write(self._seen(body["parents"][0]))
        if self.drive.full and data is not None:
            raise Refusal(403, "storageQuotaExceeded", "The user's Drive storage quota has been exceeded.")
        mime = body.get("mimeType", "application/octet-stream")
        if mime not in (FOLDER, SHORTCUT) and data is None:
            data = b""
        made = self.drive.add(body.get("name", "Untitled"), body["parents"], data=data, mime=mime, identifier=identifier)
        self.drive.files[made]["appProperties"] |= body.get("appProperties", {})
        return self._json(self.drive.files[made])

    def _generate(self) -> tuple[int, dict[str, str], bytes]:
        self._only(_COMMON | {"count", "space", "type"})
        count = int(self.query.get("count", "10"))
        if not 1 <= count <= 1000:
            raise Refusal(400, "invalid", "count")
        ids = [new_id() for _ in range(count)]
        self.drive.ids.update(ids)
        return self._json({"kind": "drive#generatedIds", "space": "drive", "ids": ids})

    def _media(self, file: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        if file["id"] not in self.drive.content:
            raise Refusal(403, "fileNotDownloadable", "Only files with binary content can be downloaded.")
        data = self.drive.content[file["id"]]
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not wanted:
            return 200, {"Content-Type": file["mimeType"]}, data
        start, end = int(wanted[1]), min(int(wanted[2] or len(data)), len(data) - 1)
        if start >= len(data):
            raise Refusal(416, "requestedRangeNotSatisfiable", "Request range not satisfiable")
        return 206, {"Content-Type": file["mimeType"], "Content-Range": f"bytes {start}-{end}/{len(data)}"}, data[start : end + 1]

    # -- uploads ------------------------------------------------------------------------------------------------------------

    def _upload(self) -> tuple[int, dict[str, str], bytes]:
        if self.method == "PUT":
            return self._part()
        kind = self.query.get("uploadType")
        identifier = self.path.partition("/files")[2].strip("/")
        if kind == "multipart":
            body, data = self._multipart()
            return self._stored(identifier, body, data)
        if kind == "media":
            return self._stored(identifier, {}, self.body)
        if kind != "resumable":
            raise Refusal(400, "badRequest", f"uploadType={kind}")
        body = json.loads(self.body or b"{}")
        if identifier:
            self._may_write(self._seen(identifier))
        elif body.get("id") in self.drive.files:
            raise Refusal(409, "fileIdInUse", "A file already exists with the provided ID.")
        else:
            self._may_write(self._seen(body["parents"][0]))
        if self.drive.full:
            raise Refusal(403, "storageQuotaExceeded", "The user's Drive storage quota has been exceeded.")
        session = secrets.token_hex(8)
        self.server.sessions[session] = {"body": body, "id": identifier, "data": b"", "query": self.query, "method": self.method}
        return 200, {"Location": f"{self.server.url}{self.path}?uploadType=resumable&upload_id={session}"}, b""

    def _part(self) -> tuple[int, dict[str, str], bytes]:
        session = self.server.sessions.get(self.query.get("upload_id", ""))
        if session is None:
            raise Refusal(404, "notFound", "no such upload")
        asked = re.fullmatch(r"bytes (?:(\d+)-(\d+)|\*)/(\d+)", self.headers.get("Content-Range", ""))
        if not asked:
            raise Refusal(400, "badRequest", "Content-Range")
        total = int(asked[3])
        if asked[1] is not None:
            if int(asked[1]) != len(session["data"]) or len(self.body) != int(asked[2]) - int(asked[1]) + 1:
                raise Refusal(400, "badRequest", "a chunk that does not follow")
            if int(asked[2]) + 1 < total and len(self.body) % (256 << 10):
                raise Refusal(400, "badRequest", "chunks are multiples of 256 KiB")
            session["data"] += self.body
        if len(session["data"]) < total:
            arrived = {"Range": f"bytes=0-{len(session['data']) - 1}"} if session["data"] else {}
            return 308, arrived, b""
        if "done" not in session:
            self.query, self.method = session["query"], session["method"]
            session["done"] = self._stored(session["id"], session["body"], session["data"])
        return session["done"]

    def _stored(self, identifier: str, body: dict[str, Any], data: bytes) -> tuple[int, dict[str, str], bytes]:
        if not identifier:
            return self._create(body, data)
        file = self._seen(identifier)
        self._may_write(file)
        if self.drive.full:
            raise Refusal(403, "storageQuotaExceeded", "The user's Drive storage quota has been exceeded.")
        self._patch(file, body)
        self.drive.fill(identifier, data)
        return self._json(file)

    def _multipart(self) -> tuple[dict[str, Any], bytes]:
        kind = self.headers["Content-Type"]
        if not kind.startswith("multipart/related"):
            raise Refusal(400, "badRequest", kind)
        boundary = b"--" + kind.partition("boundary=")[2].strip('"').encode()
        pieces = self.body.split(boundary)[1:-1]
        if len(pieces) != 2:
            raise Refusal(400, "badRequest", "two parts")
        metadata = message_from_bytes(pieces[0].strip()).get_payload()
        _, _, data = pieces[1].lstrip(b"\r\n").replace(b"\r\n\r\n", b"\n\n", 1).partition(b"\n\n")
        return json.loads(str(metadata)), data[:-2] if data.endswith(b"\r\n") else data[:-1]

    # -- changes ------------------------------------------------------------------------------------------------------------

    def _changes(self, parts: list[str]) -> tuple[int, dict[str, str], bytes]:
        if parts[1:] == ["startPageToken"]:
            self._only(_COMMON | {"driveId"})
            self._member()
            return self._json({"kind": "drive#startPageToken", "startPageToken": str(len(self.drive.changes))})
        self._only(_COMMON | (_LISTED - {"q", "corpora"}) | {"includeRemoved"})
        self._member()
        token = self.query["pageToken"]
        if not token.isdigit() or int(token) > len(self.drive.changes):
            raise Refusal(400, "invalid", "Invalid Value: pageToken")
        start, size = int(token), int(self.query.get("pageSize", "100"))
        wide = self.query.get("includeItemsFromAllDrives") == "true" == self.query.get("supportsAllDrives")
        listed = []
        for identifier in self.drive.changes[start : start + size]:
            file = self.drive.files.get(identifier)
            drive = file.get("driveId") if file else None
            if file and ((drive and not wide) or drive != self.query.get("driveId", drive)):
                continue
            gone = {"removed": True} if file is None else {"removed": False, "file": file}
            listed.append({"kind": "drive#change", "changeType": "file", "fileId": identifier, **gone})
        answer: dict[str, Any] = {"kind": "drive#changeList", "changes": listed}
        over = start + size >= len(self.drive.changes)
        answer["newStartPageToken" if over else "nextPageToken"] = str(min(start + size, len(self.drive.changes)))
        return self._json(answer)

    # -- rules --------------------------------------------------------------------------------------------------------------

    def _only(self, known: set[str]) -> None:
        if unknown := set(self.query) - known:
            raise Refusal(400, "invalidParameter", f"Unknown parameters: {sorted(unknown)}")

    def _seen(self, identifier: str, words: str = "") -> dict[str, Any]:
        file = self.drive.files.get(identifier)
        hidden = file is not None and file.get("driveId") and self.query.get("supportsAllDrives") != "true"
        if file is None or hidden or file.get("hidden"):
            raise Refusal(404, "notFound", words or f"File not found: {identifier}.")
        return file

    def _member(self) -> None:
        if self.query.get("driveId") in self.drive.not_a_member:
            raise Refusal(404, "notFound", f"Shared drive not found: {self.query['driveId']}")

    def _may_write(self, file: dict[str, Any]) -> None:
        waiting, seen = [file["id"]], set()
        while waiting:
            here = waiting.pop()
            if here in self.drive.read_only:
                raise Refusal(403, "insufficientFilePermissions", "The user does not have sufficient permissions for this file.")
            if here not in seen and here in self.drive.files:
                seen.add(here)
                waiting += self.drive.files[here]["parents"]

    def _json(self, answer: Any, *, default: str = "kind,id,name,mimeType") -> tuple[int, dict[str, str], bytes]:
        fields = self.query.get("fields", default if "files" in self.path else "")
        shown = _masked(answer, _mask(fields)) if fields else answer
        return 200, {"Content-Type": "application/json; charset=UTF-8"}, json.dumps(shown).encode()


def _mask(fields: str) -> dict[str, Any]:
    """`a,b(c,d)` as a tree. Raises Refusal."""
    root: dict[str, Any] = {}
    stack, word = [root], ""
    for character in fields + ",":
        if character in ",()":
            if word:
                stack[-1][word] = {}
            if character == "(":
                if not word:
                    raise Refusal(400, "invalidParameter", f"Invalid field selection {fields}")
                stack.append(stack[-1][word])
            elif character == ")":
                stack.pop()
            word = ""
        else:
            word += character
    if len(stack) != 1:
        raise Refusal(400, "invalidParameter", f"Invalid field selection {fields}")
    return root


def _masked(value: Any, mask: dict[str, Any]) -> Any:
    if not mask or "*" in mask:
        return value
    if isinstance(value, list):
        return [_masked(one, mask) for one in value]
    if isinstance(value, dict):
        return {name: _masked(value[name], inner) for name, inner in mask.items() if name in value}
    return value


def _handler(server: DriveServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 600
        wbufsize = -1  # sends the answer in one packet; separate headers and body would be delayed by 40 ms
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None:
            pass

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("X-HTTP-Method-Override") == "GET":
                self.command, self.path = "GET", f"{self.path}?{body.decode()}"
            fault = server.fault_of(f"{self.command} {self.path}")
            if fault and fault.act:
                fault.act()
            if fault and fault.stall_s:
                time.sleep(fault.stall_s)
            if fault and fault.reset and not fault.late:
                self._break()
                return
            try:
                self._authorize()
                if fault and fault.status:
                    headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
                    raise Refusal(fault.status, fault.reason, fault.message, headers)
                status, headers, data = _Work(server, self.command, self.path, self.headers, body).answer()
            except Refusal as refusal:
                told = {"domain": "global", "reason": refusal.reason, "message": refusal.message}
                error = {"error": {"code": refusal.status, "message": refusal.message, "errors": [told]}}
                status, data = refusal.status, json.dumps(error).encode()
                headers = {"Content-Type": "application/json; charset=UTF-8", **refusal.headers}
            if fault and fault.reset:
                self._break()
                return
            if fault and fault.corrupt and data:
                data = bytes([data[0] ^ 1]) + data[1:]
            self._answer(status, headers, data, cut=bool(fault and fault.cut))

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve

        def _authorize(self) -> None:
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            if server.tokens is not None and token not in server.tokens:
                raise Refusal(401, "authError", "Invalid Credentials")

        def _break(self) -> None:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(2)
            self.connection.close()

        def _answer(self, status: int, headers: dict[str, str], data: bytes, *, cut: bool) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(data[: len(data) // 2] if cut else data)
                self.wfile.flush()
            if cut:
                self._break()

    return Handler
