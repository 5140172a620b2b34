"""Google's own verification, with a test key and test certificates."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from google.auth import crypt, jwt
from google.oauth2 import id_token

from rayocr.config import GatewayConfig
from rayocr.gateway.push import push_verifier

AUDIENCE, ACCOUNT = "https://ocr.example/gcs-event", "push@project.iam.gserviceaccount.com"


class Google:
    """A key pair and its certificate."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "federated-signon")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(self.key, hashes.SHA256())
        )
        self.certificates = {"k1": certificate.public_bytes(serialization.Encoding.PEM).decode()}
        self.asked = 0
        self.url = ""

    def token(self, key: Any = None, **claims: Any) -> str:
        pem = (key or self.key).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        now = int(time.time())
        usual = {
            "iss": "https://accounts.google.com",
            "aud": AUDIENCE,
            "email": ACCOUNT,
            "email_verified": True,
            "iat": now - 60,
            "exp": now + 3600,
        }
        signer = crypt.RSASigner.from_string(pem, key_id="k1")
        return "Bearer " + jwt.encode(signer, usual | claims).decode()


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Google]:
    google = Google()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            google.asked += 1
            body = json.dumps(google.certificates).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    monkeypatch.setattr(id_token, "_GOOGLE_OAUTH2_CERTS_URL", f"http://127.0.0.1:{server.server_address[1]}/certs")
    yield google
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_only_pubsubs_own_pushes_for_us_are_taken(google: Google) -> None:
    verify = push_verifier(GatewayConfig(push_audience=AUDIENCE, push_account=ACCOUNT))
    assert verify is not None
    verify(google.token())
    verify(google.token())
    assert google.asked == 1, "the certificates are kept"
    another = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    forged = {
        "another key": google.token(another),
        "another audience": google.token(aud="https://elsewhere.example"),
        "another account": google.token(email="somebody@gmail.com"),
        "an account that is not verified": google.token(email_verified=False),
        "another issuer": google.token(iss="https://accounts.example"),
        "too old": google.token(iat=int(time.time()) - 9000, exp=int(time.time()) - 5000),
        "no token": "Bearer nonsense",
        "nothing": "",
        "another scheme": google.token().replace("Bearer", "Basic"),
    }
    for what, authorization in forged.items():
        with pytest.raises(ValueError):
            verify(authorization)
            pytest.fail(what)


def test_without_an_audience_the_token_of_the_api_says_who_may_push() -> None:
    assert push_verifier(GatewayConfig()) is None
