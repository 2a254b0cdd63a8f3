"""What Snakemake shows while it works: a line for each job, how many are done of how many, and what failed.

Its own account of each job, with files and reasons, goes to the log that it names at the end, as ever. Dry runs and
calls with --verbose or --quiet show what Snakemake shows.
"""

import logging
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from snakemake.logging import DefaultFormatter
from snakemake.workflow import Workflow
from snakemake_interface_logger_plugins.common import LogEvent

HIDDEN_EVENTS = {
    LogEvent.WORKFLOW_STARTED,
    LogEvent.RESOURCES_INFO,
    LogEvent.JOB_STARTED,
    LogEvent.JOB_FINISHED,
    LogEvent.GROUP_INFO,  # each of its jobs has its line
}
HIDDEN_STARTS = (
    "Building DAG of jobs",
    "Using shell",
    "Conda environments: ignored",
    "Select jobs to execute",
    # The job itself says more: which one, and the end of its log.
    "CalledProcessError in file",
    "RuleException:\nCalledProcessError in file",
    "WorkflowError:\nAt least one job did not complete successfully",
)
END_WITH_FAILURES = "Exiting because a job execution failed"
LONGEST = 60  # lines of a failed job's log


def settle(workflow: Workflow) -> None:
    """Let the process that plans show this on its console."""
    said = workflow.output_settings
    if not workflow.is_main_process or said.dryrun or said.verbose or said.debug_dag or said.quiet:
        return
    for handler in logging.getLogger("snakemake.logging").handlers:
        if handler.name == "DefaultStreamHandler":
            console = Console(said.quiet, said.show_failed_logs)
            handler.setFormatter(console)
            handler.addFilter(console.shows)


class Console(DefaultFormatter):
    """Snakemake's formatter with one line for a job; `shows` is the filter that goes with it."""

    def __init__(self, *settings: Any) -> None:
        super().__init__(*settings)
        self.done = self.total = 0
        self.failed: list[str] = []
        self.messages: dict[int, str] = {}  # of the jobs that were started

    def shows(self, record: logging.LogRecord) -> bool:
        """Whether a record is shown; what it says of the progress is kept for the next job's line."""
        event = getattr(record, "event", None)
        if event == LogEvent.PROGRESS:
            self.done, self.total = record.done, record.total  # type: ignore[attr-defined]
            return self.done == self.total
        if event == LogEvent.JOB_INFO:
            return bool(record.rule_msg)  # type: ignore[attr-defined]  # `all` has nothing to say
        if event == LogEvent.JOB_ERROR and getattr(record, "indent", False):
            return False  # its group has said it
        return event not in HIDDEN_EVENTS and not str(record.msg).startswith(HIDDEN_STARTS)

    def format(self, record: logging.LogRecord) -> str:
        """As Snakemake does; where it says that jobs have failed, which ones."""
        if not str(record.msg).startswith(END_WITH_FAILURES):
            return super().format(record)
        left = self.total - self.done - len(self.failed)
        return "\n".join(
            [
                f"{self.done} of {self.total} jobs are done, {len(self.failed)} failed, {left} wait for those:",
                *(f"  FAILED: {name}" for name in self.failed),
                "Call the same again to go on.",
            ]
        )

    def format_run_info(self, msg: dict[str, Any]) -> str:
        """How much there is to do."""
        self.total = msg["stats"]["total"]
        return f"{self.total} jobs to do"

    def format_job_info(self, msg: dict[str, Any]) -> str:
        """A job that starts."""
        self.messages[msg["jobid"]] = msg["rule_msg"]
        width = len(str(self.total))
        return f"{time.strftime('%H:%M:%S')} [{self.done:{width}} of {self.total} done] {msg['rule_msg']}"

    def format_job_error(self, msg: dict[str, Any]) -> str:
        """A job that failed, and the end of its log."""
        name = self.messages.get(msg["jobid"], msg["rule_name"])
        self.failed.append(name)
        return "\n".join([f"{time.strftime('%H:%M:%S')} FAILED: {name}", *self._ends_of_logs(msg["log"])])

    def format_group_error(self, msg: dict[str, Any]) -> str:
        """Jobs that were sent to a cluster together, one of which failed, with the logs of all that wrote one."""
        names = [self.messages.get(job["jobid"], job["rule_name"]) for job in msg["job_error_info"]]
        self.failed.extend(names)
        logs = [path for job in msg["job_error_info"] for path in job["log"] if Path(path).exists()]
        return "\n".join(
            [
                f"{time.strftime('%H:%M:%S')} FAILED, one of the jobs sent together or their cluster job:",
                *(f"  {name}" for name in names),
                *self._ends_of_logs([*msg["aux_logs"], *logs]),
            ]
        )

    def _ends_of_logs(self, paths: Iterable[str | Path]) -> Iterator[str]:
        for path in paths:
            yield f"  {path}:"
            if self.show_failed_logs:
                yield from (f"    {line}" for line in end_of_log(path))

    def format_progress(self, msg: dict[str, Any]) -> str:
        """The end."""
        return f"{time.strftime('%H:%M:%S')} [{msg['done']} of {msg['total']} done]"


def end_of_log(path: str | Path) -> list[str]:
    """The lines of a job's log from its error on: what `logs.logged` writes last; at most LONGEST."""
    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ["There is no log."]
    starts = [number for number, line in enumerate(lines) if line.startswith(("Error: ", "Traceback "))]
    return (lines[starts[0] :] if starts else lines)[-LONGEST:]
