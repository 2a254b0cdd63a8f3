import subprocess
import sys

import pytest


def run(tmp_path, body):
    """Run Python code under `logged` in a process of its own; gives the process and its log."""
    log = tmp_path / "logs" / "job.log"
    code = f"import os, sys\nfrom multilabel import logs\nwith logs.logged({str(log)!r}):\n    {body}\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return done, log.read_text()


@pytest.mark.parametrize(
    "body", ["print('said')", "print('said', file=sys.stderr)", "os.write(1, b'said')", "os.system('echo said >&2')"]
)
def test_all_that_a_job_says_is_in_its_log_alone(tmp_path, body):
    done, log = run(tmp_path, body)
    assert log.strip() == "said"
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_log_of_a_failed_job_ends_with_the_traceback(tmp_path):
    done, log = run(tmp_path, "print('begun'); 1 / 0")
    assert done.returncode == 1
    assert log.startswith("begun\nTraceback")
    assert log.endswith("ZeroDivisionError: division by zero\n")


def test_a_log_begins_anew_with_each_job(tmp_path):
    run(tmp_path, "print('first')")
    _, log = run(tmp_path, "print('second')")
    assert log == "second\n"
