"""Implements mode=submit: runs the same command as a job of a Ray cluster, prints its log and exits with its exit code. Keys stay
on this machine. Anyone who can open the dashboard can read a job's entry point and runtime_env, so rayocr does not send the
environment: the job takes its keys from the cluster's environment (a Kubernetes Secret, an env_file). `ray job submit` exits with
1 on any failure, but the job's details contain the driver's own exit code.
"""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rayocr.config import Mode, RayocrConfig
from rayocr.driver.cluster.connect import quiet_ray
from rayocr.driver.commands.working_dir import stage
from rayocr.errors import ClusterUnavailable, CredentialsError, Interrupted, RayocrError, UsageError
from rayocr.masking import for_terminal, masked

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

_RECHECK_S = 1.0
_OVER = ("SUCCEEDED", "FAILED", "STOPPED")


def submit(config: RayocrConfig, arguments: Sequence[str]) -> int:
    """Submits the job and returns its exit code. Raises UsageError, CredentialsError and ClusterUnavailable."""
    if config.submit.mode is Mode.submit:
        raise UsageError("submit.mode cannot be submit: it is the mode of the job.", hint="For example: submit.mode=run")
    if not config.cluster.startswith(("http://", "https://")):
        raise UsageError(
            "`rayocr submit` needs the address of the cluster's dashboard."
            if config.cluster == "auto"
            else f"cluster={config.cluster} is not the address of a cluster's dashboard.",
            hint="For example: cluster=http://HOST:8265",
        )
    job_id = config.submit.job_id or f"rayocr-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    with _talking_to(config.cluster):
        client = _client(config.cluster)
        there = _is_there(client, job_id)
        if not there:
            _submit(client, config, job_id, entrypoint(config, arguments))
    if there:
        print(f"rayocr: {job_id} exists already; following it.")
    else:
        print(f"rayocr: submitted {job_id} to {config.cluster}. It takes its keys from the cluster's environment.")
    sys.stdout.flush()
    if not config.submit.follow:
        print(f"  ray job logs --address {config.cluster} --follow {job_id}")
        return 0
    return asyncio.run(_Following(client, job_id, config.cluster, patience_s=config.submit.patience_s).to_its_end())


def entrypoint(config: RayocrConfig, arguments: Sequence[str]) -> str:
    """Returns the job's command line: the overrides, except those about submitting. Raises UsageError for an override that
    contains a secret."""
    ours = ("mode", "cluster", "progress")
    for argument in arguments:
        if masked(argument) != argument:
            raise UsageError(
                f"{argument.partition('=')[0]}= carries a key or a password, and anyone who sees the dashboard can read the"
                " command line of a job.",
                hint="Put it into the environment of the cluster.",
            )
    kept = [a for a in arguments if a.lstrip("+").partition("=")[0] not in ours and not a.startswith("submit.")]
    # The command uses exec, because Ray stops a job with a signal to the shell, which must reach the run.
    command = ["exec", "python", "-m", "rayocr", *kept, f"mode={config.submit.mode}", "cluster=auto", "progress=plain"]
    return " ".join(map(shlex.quote, command))


def _client(address: str) -> JobSubmissionClient:
    quiet_ray()
    from ray.job_submission import JobSubmissionClient

    return JobSubmissionClient(address)


def _is_there(client: JobSubmissionClient, job_id: str) -> bool:
    return any(job.submission_id == job_id for job in client.list_jobs())


def _submit(client: JobSubmissionClient, config: RayocrConfig, job_id: str, command: str) -> None:
    runtime_env: dict[str, Any] = {"env_vars": {"RAY_JOB_STOP_WAIT_TIME_S": str(config.submit.stop_wait_s)}}
    with tempfile.TemporaryDirectory(prefix="rayocr-upload-") as folder:
        given = config.submit.working_dir
        if given is not None and "://" in given:
            runtime_env["working_dir"] = given  # an archive that the cluster downloads itself
        elif given is not None:
            stage(Path(given), Path(folder))
            runtime_env["working_dir"] = folder
        try:
            client.submit_job(
                entrypoint=command,
                submission_id=job_id,
                runtime_env=runtime_env,
                entrypoint_num_cpus=config.submit.cpus or None,
                metadata={"rayocr": config.submit.mode.value},
            )
        except ValueError as error:  # too large, or a type of address that Ray does not support
            raise UsageError(f"submit.working_dir={given} cannot be sent: {_first_line(error)}") from error


@contextlib.contextmanager
def _talking_to(address: str) -> Iterator[None]:
    """Converts errors of the Jobs SDK to ours."""
    try:
        yield
    except RayocrError:
        raise
    # Includes RuntimeError, ConnectionError, errors of requests, AuthenticationError; none is documented.
    except Exception as error:
        if type(error).__name__ == "AuthenticationError":
            raise CredentialsError(
                f"The cluster at {address} requires a token.",
                hint="Set RAY_AUTH_MODE=token, and set RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH to the token of its head node.",
            ) from error
        raise ClusterUnavailable(
            f"No Ray dashboard accepts jobs at {address}: {_first_line(error)}",
            hint="Is the head's port 8265 forwarded to here (kubectl port-forward service/…-head-svc 8265)?",
        ) from error


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


class _Following:
    """Follows a job. The first Ctrl-C asks the job to drain and follows it to its end; the second leaves it running. While the
    dashboard does not answer, this class waits for at most `patience_s`, since the head may be restarting.
    """

    def __init__(
        self,
        client: JobSubmissionClient,
        job_id: str,
        address: str,
        *,
        patience_s: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._job_id = job_id
        self._address = address
        self._patience_s = patience_s
        self._clock = clock
        self._sleep = sleep
        self._silent_since: float | None = None
        self._shown = 0  # number of printed characters of the log, which starts from the beginning after a reconnect
        self._stopping = False
        self._following: asyncio.Task[int] | None = None

    async def to_its_end(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._interrupted)
        self._following = asyncio.create_task(self.follow())
        try:
            return await self._following
        except asyncio.CancelledError:
            raise Interrupted(
                f"{self._job_id} continues on the cluster.", hint=f"Follow it again with submit.job_id={self._job_id}."
            ) from None

    def _interrupted(self) -> None:
        if self._stopping:
            if self._following is not None:
                self._following.cancel()
            return
        self._stopping = True
        print("rayocr: asking the job to drain; press Ctrl-C again to leave it running.", file=sys.stderr)
        asyncio.get_running_loop().run_in_executor(None, self._stop)

    def _stop(self) -> None:
        with contextlib.suppress(RuntimeError, OSError):  # the job has already ended; its details have the reason
            self._client.stop_job(self._job_id)

    async def follow(self) -> int:
        """Follows the job and returns its exit code. Raises Interrupted and ClusterUnavailable."""
        while True:
            await self._show_log()
            details = await self._details()
            if details is not None and str(details.status) in _OVER:
                await self._show_log()
                return self._exit_code(details)
            await self._sleep(_RECHECK_S)

    async def _show_log(self) -> None:
        """Prints the log until the job ends or the connection breaks."""
        seen = 0
        try:
            async for text in self._client.tail_job_logs(self._job_id):
                fresh = text[max(0, self._shown - seen) :]
                seen += len(text)
                if fresh:
                    self._shown = max(self._shown, seen)
                    print(for_terminal(fresh), end="", flush=True)
        # There is no log yet, or the connection broke (RuntimeError, OSError, aiohttp's errors); the caller tries again.
        except Exception as error:
            if isinstance(error, RayocrError):
                raise

    async def _details(self) -> Any:
        """Returns the job's details; None while the dashboard does not answer. Raises ClusterUnavailable when it has not answered
        for too long, or no longer has the job."""
        try:
            details = await asyncio.to_thread(self._client.get_job_info, self._job_id)
        except (RuntimeError, OSError) as error:
            await self._note_silence(error)
            return None
        if self._silent_since is not None:
            self._silent_since = None
            print(f"rayocr: the dashboard at {self._address} answers again.", file=sys.stderr)
        return details

    async def _note_silence(self, error: Exception) -> None:
        now = self._clock()
        try:
            forgotten = not await asyncio.to_thread(_is_there, self._client, self._job_id)
        except (RuntimeError, OSError):
            forgotten = False
        if forgotten:
            raise ClusterUnavailable(
                f"The cluster at {self._address} no longer has {self._job_id}: its head was replaced, and the job was lost"
                " with it.",
                hint="Submit the same command again; it resumes.",
            ) from error
        if self._silent_since is None:
            self._silent_since = now
            print(
                f"rayocr: the head of the cluster does not answer at {self._address}. Waiting up to {self._patience_s:g} s"
                " (submit.patience_s).",
                file=sys.stderr,
            )
        elif now - self._silent_since >= self._patience_s:
            raise ClusterUnavailable(
                f"The head of the cluster at {self._address} has not answered for {self._patience_s:g} s.",
                hint=f"Later, follow the job with submit.job_id={self._job_id}, or submit the same command again.",
            ) from error

    def _exit_code(self, details: Any) -> int:
        code: int | None = details.driver_exit_code
        if code is not None and code >= 0:
            return code
        if str(details.status) == "STOPPED":
            raise Interrupted(f"{self._job_id} was stopped.")
        # Ray appends the end of the log, which was already printed.
        why = str(details.message or details.status).partition(", last available logs")[0]
        if code is not None:
            raise ClusterUnavailable(
                f"{self._job_id} was killed by signal {-code}.", hint="Submit the same command again; it resumes."
            )
        raise ClusterUnavailable(f"{self._job_id} did not run to its end: {why}")
