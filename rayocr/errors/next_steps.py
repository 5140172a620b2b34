"""Contains the only table that maps the answer of a service to the user's next step: (service, status, reason) → hint. The
modules that translate a service's errors decide the class of the error. The first row that matches applies.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Service = Literal["gcs", "drive", "pubsub", "gemini", "openai", "redis"]

_OBJECT_USER = "The account needs the role Storage Object User on the bucket, or Storage Object Viewer to read only."
_GCS_LOGIN = "Set GOOGLE_APPLICATION_CREDENTIALS to a service account's JSON file, or run: gcloud auth application-default login"
_GCS_KEY = "Objects with a customer-supplied key or a disabled KMS key cannot be read: rewrite the object with a usable key."
_DRIVE_LOGIN = (
    "Sign in with: rayocr login drive, or name a service account's JSON file: GOOGLE_DRIVE_CREDENTIALS,"
    " storage.source.credentials= or storage.dest.credentials="
)
_SHARE = "Share the folder with the account (Editor to write, Viewer to read), or check its id."
_GEMINI_KEY = "Check GEMINI_API_KEY (GOOGLE_API_KEY takes precedence if both are set) at https://aistudio.google.com/apikey."
_RESTRICTED = "The key's restrictions (API, address or referrer) exclude this request: change them in the Google Cloud console."
_REDIS_ACL = (
    "Check user and password in REDIS_URL. The user needs the keys ~{rayocr:* (with the brace) and the"
    " commands of docs/troubleshooting.md, under Redis."
)


class _Row(NamedTuple):
    """A row of the table. `status`: HTTP status, 0 for any. `signs`: texts in lower case of which the reason or message contains
    one; empty for any answer."""

    service: Service
    status: int
    signs: tuple[str, ...]
    step: str


NEXT_STEPS: tuple[_Row, ...] = (
    # Google Cloud Storage. 401 also stands for missing credentials.
    _Row("gcs", 401, (), _GCS_LOGIN),
    _Row("gcs", 403, ("retention", "hold"), "The bucket retains its objects: set state= to a bucket or folder that does not."),
    _Row("gcs", 403, ("kms", "cryptokey", "encryption key"), _GCS_KEY),
    _Row("gcs", 403, ("billing", "accountdisabled"), "Open billing for the bucket's project in the Google Cloud console."),
    _Row(
        "gcs",
        403,
        ("vpcservicecontrols", "organization's policy"),
        "A VPC Service Controls perimeter refuses access: run inside the perimeter.",
    ),
    _Row(
        "gcs",
        403,
        ("has not been used", "accessnotconfigured", "service_disabled"),
        "Enable the Cloud Storage API in the credentials' project.",
    ),
    _Row(
        "gcs",
        403,
        ("storage.objects.list",),
        "The account needs storage.objects.list on the bucket: the role Storage Object Viewer has it.",
    ),
    _Row(
        "gcs",
        403,
        ("storage.objects.get",),
        "The account needs storage.objects.get on the bucket: the role Storage Object Viewer has it.",
    ),
    _Row(
        "gcs",
        403,
        ("storage.objects.create",),
        "The account needs storage.objects.create on the bucket: the role Storage Object User has it.",
    ),
    _Row(
        "gcs",
        403,
        ("storage.objects.delete",),
        "The account needs storage.objects.delete on the bucket: the role Storage Object User has it.",
    ),
    _Row("gcs", 403, (), _OBJECT_USER),
    _Row("gcs", 404, ("bucket",), "Check its name. rayocr does not create buckets."),
    _Row("gcs", 400, ("requester",), "Name the project that pays: storage.source.user_project="),
    _Row("gcs", 400, (), _GCS_KEY),
    _Row(
        "gcs",
        0,
        ("content-encoding",),
        "Correct its metadata (gcloud storage objects update --clear-content-encoding {place}), or upload it again.",
    ),
    # Google Drive
    _Row("drive", 401, ("invalid_grant",), "Sign in again with: rayocr login drive; for a service account, create a new key."),
    _Row(
        "drive",
        401,
        ("unauthorized_client", "access_denied"),
        "An administrator grants the service account's client id the scope https://www.googleapis.com/auth/drive"
        " (Admin console, domain-wide delegation); storage.*.subject= names the user.",
    ),
    _Row("drive", 401, (), _DRIVE_LOGIN),
    _Row(
        "drive",
        403,
        ("teamdrivefilelimitexceeded",),
        "The shared drive has no space for more items: delete some, or write to another shared drive.",
    ),
    _Row(
        "drive",
        403,
        ("numchildreninnonrootlimitexceeded",),
        "The folder has no space for more items: write to another folder.",
    ),
    _Row(
        "drive",
        403,
        ("activeitemcreationlimitexceeded",),
        "The account has no space for more items: delete some, or write with another account.",
    ),
    _Row(
        "drive",
        403,
        ("storagequotaexceeded", "storage quota"),
        "A service account has no quota in My Drive: write to a folder of a shared drive, as a user (rayocr login drive),"
        " or for a user (storage.dest.subject=). Otherwise free some space.",
    ),
    _Row(
        "drive",
        403,
        ("dailylimitexceeded",),
        "Ask for more in the Google Cloud console, or start the same command again tomorrow: it resumes.",
    ),
    _Row(
        "drive",
        403,
        ("accessnotconfigured", "service_disabled"),
        "Enable it: https://console.cloud.google.com/apis/library/drive.googleapis.com",
    ),
    _Row(
        "drive",
        403,
        ("insufficientpermissions", "access_token_scope_insufficient"),
        "They need the scope https://www.googleapis.com/auth/drive: sign in with rayocr login drive",
    ),
    _Row(
        "drive",
        403,
        ("cannotdownloadabusivefile",),
        "Google has marked the file as malware or spam; only its owner can download it.",
    ),
    _Row(
        "drive",
        403,
        ("cannotdownloadfile", "filenotdownloadable"),
        "Its owner does not let viewers download it: ask for the role Editor, or for a copy.",
    ),
    _Row("drive", 403, ("downloadquotaexceeded",), "Too many people have downloaded the file: try again in a day, or copy it."),
    _Row("drive", 403, ("domainpolicy",), "The administrator of the Google Workspace has to allow apps to use Drive."),
    _Row("drive", 403, (), _SHARE),
    _Row("drive", 404, (), _SHARE),
    # Pub/Sub
    _Row("pubsub", 401, (), "Sign in again, or check the key file."),
    _Row(
        "pubsub",
        403,
        ("service_disabled", "has not been used"),
        "Enable the Pub/Sub API in the credentials' project.",
    ),
    _Row("pubsub", 403, (), "The account needs the role Pub/Sub Subscriber on the subscription."),
    _Row("pubsub", 404, (), "Check watch.subscription="),
    # Gemini, also on Vertex AI
    _Row("gemini", 0, ("api_key_service_blocked", "_referrer_blocked", "ip_address_blocked", "app_blocked"), _RESTRICTED),
    _Row(
        "gemini",
        401,
        ("default credentials", "refresh", "credentials do not work", "oauth"),
        "Set GOOGLE_APPLICATION_CREDENTIALS to a key file, or run: gcloud auth application-default login",
    ),
    _Row("gemini", 401, (), _GEMINI_KEY),
    _Row(
        "gemini",
        403,
        ("service_disabled", "has not been used"),
        "Enable the Generative Language API (on Vertex AI the Vertex AI API) in the project, and wait a few minutes.",
    ),
    _Row("gemini", 403, ("billing",), "Open billing for the project in the Google Cloud console."),
    _Row("gemini", 403, ("consumer_suspended", "suspended"), "Google has suspended the project: see the Google Cloud console."),
    _Row(
        "gemini",
        403,
        ("iam_permission_denied", "aiplatform."),
        "The account needs the role Vertex AI User on the project.",
    ),
    _Row(
        "gemini",
        403,
        ("leaked",),
        "Google has blocked the key because it was published: create a new one.",
    ),
    _Row(
        "gemini",
        403,
        (),
        "Check that the Generative Language API is enabled in the key's project, and check the key's restrictions.",
    ),
    _Row(
        "gemini",
        404,
        (),
        "Check engine.gemini.model, or choose a model that this key may use (see docs/engines.md), then start the same command"
        " again.",
    ),
    _Row("gemini", 400, ("api key", "api_key_invalid"), _GEMINI_KEY),
    _Row(
        "gemini",
        400,
        ("location",),
        "Google does not serve your location with API keys; try Vertex AI (engine.gemini.vertexai=true).",
    ),
    _Row(
        "gemini",
        400,
        (),
        "Google requires billing for this project, or does not serve your location; try Vertex AI (engine.gemini.vertexai=true).",
    ),
    # OpenAI-compatible servers
    _Row("openai", 403, ("unsupported_country", "country"), "The service is not offered where you are."),
    _Row("openai", 403, ("model",), "The account may not use this model: set engine.openai.model, or ask for access."),
    _Row("openai", 0, ("insufficient_quota", "billing_hard_limit"), "Add credit to the account of OPENAI_API_KEY."),
    _Row("openai", 0, ("server redirects to",), "If that address is right, set engine.openai.base_url to it."),
    _Row("openai", 401, (), "Check OPENAI_API_KEY."),
    _Row("openai", 403, (), "Check OPENAI_API_KEY."),
    _Row("openai", 404, (), "Check engine.openai.model."),
    # Redis, which has words instead of status codes
    _Row("redis", 0, ("readonly",), "It is a replica: wait until its address leads to the primary, or change REDIS_URL."),
    _Row("redis", 0, ("unavailable",), "Start Redis, or correct REDIS_URL."),
    _Row("redis", 0, ("misconf",), "Redis cannot save to its disk. Free space there, or find the reason in its log."),
    _Row("redis", 0, ("oom command",), "Redis is full. Raise its maxmemory, or delete data of other programs."),
    _Row("redis", 0, ("noreplicas",), "Redis waits for replicas (min-replicas-to-write): start them, or lower the number."),
    _Row("redis", 0, ("noauth", "wrongpass", "noperm", "acl failure", "invalid username", "invalid password"), _REDIS_ACL),
    _Row(
        "redis",
        0,
        ("moved", "crossslot"),
        "Use a Redis without cluster mode, or put the node that holds the keys into REDIS_URL.",
    ),
    _Row(
        "redis",
        0,
        ("unknown command", "unknown redis command", "not allowed from script"),
        "rayocr needs Lua scripts (EVALSHA, SCRIPT LOAD) and the commands of docs/troubleshooting.md, under Redis.",
    ),
)


def next_step(service: Service, status: int = 0, said: str = "", *, place: str = "") -> str | None:
    """Returns the next step; None if the message is sufficient. `said`: the service's reason and message. `place`: the object or
    file."""
    lower = said.lower()
    for row in NEXT_STEPS:
        if row.service == service and row.status in (0, status) and (not row.signs or any(sign in lower for sign in row.signs)):
            return row.step.replace("{place}", place)
    return None
