"""mode=submit: the same command as a job of a Ray cluster, through the Jobs SDK; its log is shown and its exit code is ours.

Keys stay here. Whoever sees the dashboard can read a job's entry point and runtime_env, so nothing of the environment is sent
along: the job finds its keys in the environment of the cluster (a Kubernetes Secret, an env_file). `ray job submit` ends with 1
whatever went wrong; the driver's own exit code is in the job's details.
"""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import signal
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rayocr.config import Mode, RayocrConfig
from rayocr.driver.cluster.connect import quiet_ray
from rayocr.errors import ClusterUnavailable, CredentialsError, Interrupted, RayocrError, UsageError
from rayocr.masking import for_terminal, masked

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

# Of the working folder: what is not code, and what holds keys.
_NOT_SENT = [".git", ".venv", "output", "logs", "*.pdf"]
_HOLDS_KEYS = [
    *(".env", ".env.*", "*.env", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.kdbx", "id_rsa*", "id_ecdsa*", "id_ed25519*"),
    *(".netrc", ".npmrc", ".pypirc", ".pgpass", ".git-credentials", ".ssh", ".aws", ".gnupg", ".kube", ".docker", ".config"),
]
_KEY_FIELDS = (b'"private_key"', b'"refresh_token"', b'"client_secret"')  # of Google's credentials, whatever their name
_KEY_FILE_BYTES = 64 << 10
_LOOK_AGAIN_S = 1.0
_OVER = ("SUCCEEDED", "FAILED", "STOPPED")


def submit(config: RayocrConfig, arguments: Sequence[str]) -> int:
    """The job's exit code. Raises UsageError, CredentialsError and ClusterUnavailable."""
    if config.submit.mode is Mode.submit:
        raise UsageError("submit.mode says what the job does: run, for example.")
    if not config.cluster.startswith(("http://", "https://")):
        raise UsageError(
            f"mode=submit needs the address of the cluster's dashboard, and cluster={config.cluster} is none:"
            " cluster=http://HOST:8265."
        )
    job_id = config.submit.job_id or f"rayocr-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    with _talking_to(config.cluster):
        client = _client(config.cluster)
        there = _is_there(client, job_id)
        if not there:
            _submit(client, config, job_id, entrypoint(config, arguments))
    if there:
        print(f"rayocr: {job_id} is there already; following it.")
    else:
        print(f"rayocr: submitted {job_id} to {config.cluster}. Its keys are those of the cluster's environment.")
    sys.stdout.flush()
    if not config.submit.follow:
        print(f"  ray job logs --address {config.cluster} --follow {job_id}")
        return 0
    return asyncio.run(_Following(client, job_id).to_its_end())


def entrypoint(config: RayocrConfig, arguments: Sequence[str]) -> str:
    """The job's command line: the overrides, but for those that are about submitting. Raises UsageError for one with a secret."""
    ours = ("mode", "cluster", "progress")
    for argument in arguments:
        if masked(argument) != argument:
            raise UsageError(
                f"{argument.partition('=')[0]}= carries a key or a password, and whoever sees the dashboard can read the command"
                " line of a job. Put it into the environment of the cluster."
            )
    kept = [a for a in arguments if a.lstrip("+").partition("=")[0] not in ours and not a.startswith("submit.")]
    # exec: a stop is a signal to the shell that Ray starts, and must reach the run.
    command = ["exec", "python", "-m", "rayocr", *kept, f"mode={config.submit.mode}", "cluster=auto", "progress=plain"]
    return " ".join(map(shlex.quote, command))


def excludes(working_dir: Path) -> list[str]:
    """Patterns of what the cluster does not get: everybody who reaches its dashboard can download the working folder."""
    keys = []
    for path in working_dir.rglob("*.json") if working_dir.is_dir() else ():
        relative = path.relative_to(working_dir)
        if not set(relative.parts) & {".git", ".venv", "output", "logs"} and _holds_key(path):
            keys.append("/" + "".join("\\" + c if c in "*?[]!#\\ " else c for c in str(relative)))
    return [*_NOT_SENT, *_HOLDS_KEYS, *sorted(keys)]


def _holds_key(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(_KEY_FILE_BYTES)
    except OSError:
        return True  # one that cannot be read cannot be sent either
    return any(field in head for field in _KEY_FIELDS)


def _client(address: str) -> JobSubmissionClient:
    quiet_ray()
    from ray.job_submission import JobSubmissionClient

    return JobSubmissionClient(address)


def _is_there(client: JobSubmissionClient, job_id: str) -> bool:
    return any(job.submission_id == job_id for job in client.list_jobs())


def _submit(client: JobSubmissionClient, config: RayocrConfig, job_id: str, command: str) -> None:
    runtime_env: dict[str, Any] = {"env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(config.submit.stop_wait_s)}}
    if config.submit.working_dir is not None:
        runtime_env |= {"working_dir": config.submit.working_dir, "excludes": excludes(Path(config.submit.working_dir))}
    try:
        client.submit_job(
            entrypoint=command,
            submission_id=job_id,
            runtime_env=runtime_env,
            entrypoint_num_cpus=config.submit.cpus or None,
            metadata={"rayocr": config.submit.mode.value},
        )
    except ValueError as error:  # a working_dir that is none, or too large
        raise UsageError(f"submit.working_dir={config.submit.working_dir} cannot be sent: {_first_line(error)}") from error


@contextlib.contextmanager
def _talking_to(address: str) -> Iterator[None]:
    """Errors of the Jobs SDK as ours."""
    try:
        yield
    except RayocrError:
        raise
    except Exception as error:  # RuntimeError, ConnectionError, requests' own, AuthenticationError: the SDK promises none of them
        if type(error).__name__ == "AuthenticationError":
            raise CredentialsError(
                f"The cluster at {address} asks for its token.",
                hint="Set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH, to what its head was started with.",
            ) from error
        raise ClusterUnavailable(
            f"No Ray dashboard takes jobs at {address}: {_first_line(error)}",
            hint="Is the head's port 8265 forwarded to here (kubectl port-forward service/…-head-svc 8265)?",
        ) from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


class _Following:
    """The first Ctrl-C asks the job to drain and follows it to its end; the second leaves it alone."""

    def __init__(self, client: JobSubmissionClient, job_id: str) -> None:
        self._client = client
        self._job_id = job_id
        self._shown = 0  # characters of its log; a connection that is made again begins at the log's first
        self._stopping = False
        self._following: asyncio.Task[int] | None = None

    async def to_its_end(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._interrupted)
        self._following = asyncio.create_task(self._follow())
        try:
            return await self._following
        except asyncio.CancelledError:
            raise Interrupted(
                f"{self._job_id} goes on without us.", hint=f"Follow it again with submit.job_id={self._job_id}."
            ) from None

    def _interrupted(self) -> None:
        if self._stopping:
            if self._following is not None:
                self._following.cancel()
            return
        self._stopping = True
        print("rayocr: asking the job to drain; once more Ctrl-C to leave it.", file=sys.stderr)
        asyncio.get_running_loop().run_in_executor(None, self._stop)

    def _stop(self) -> None:
        with contextlib.suppress(RuntimeError, OSError):  # it ended meanwhile; its details say how
            self._client.stop_job(self._job_id)

    async def _follow(self) -> int:
        while True:
            await self._show_log()
            details = await self._details()
            if details is not None and str(details.status) in _OVER:
                await self._show_log()
                return self._exit_code(details)
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _show_log(self) -> None:
        """Until the job is over or the connection breaks."""
        seen = 0
        with contextlib.suppress(RuntimeError, OSError):  # the job has no log yet, or the connection broke: looked at again
            async for text in self._client.tail_job_logs(self._job_id):
                fresh = text[max(0, self._shown - seen) :]
                seen += len(text)
                if fresh:
                    self._shown = max(self._shown, seen)
                    print(for_terminal(fresh), end="", flush=True)

    async def _details(self) -> Any:
        with contextlib.suppress(RuntimeError, OSError):
            return await asyncio.to_thread(self._client.get_job_info, self._job_id)
        return None  # the dashboard is away for a moment

    def _exit_code(self, details: Any) -> int:
        code: int | None = details.driver_exit_code
        if code is not None and code >= 0:
            return code
        if str(details.status) == "STOPPED":
            raise Interrupted(f"{self._job_id} was stopped.")
        raise ClusterUnavailable(f"{self._job_id} did not run to its end: {details.message or details.status}")
