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


OURS = "from multilabel import files; open({0!r}, 'w').write('{{'); files.read_json({0!r})"


def test_the_log_of_a_job_with_wrong_data_ends_with_the_message_alone(tmp_path):
    done, log = run(tmp_path, "print('begun'); " + OURS.format(str(tmp_path / "x.json")))
    assert done.returncode == 1
    assert log.splitlines()[0] == "begun"
    assert log.splitlines()[1].startswith(f"Error: {tmp_path / 'x.json'}: expected JSON, found a syntax error")
    assert "Traceback" not in log


def test_a_missing_file_is_named_without_a_traceback(tmp_path):
    done, log = run(tmp_path, "open('/nowhere/labels.h5')")
    assert done.returncode == 1
    assert log == "Error: [Errno 2] No such file or directory: '/nowhere/labels.h5'\n"


@pytest.mark.parametrize(
    "body", ["import numpy; numpy.zeros(2) + numpy.zeros(3)", "import numpy; numpy.zeros(2).reshape(3)", "int('x')"]
)
def test_what_another_library_refuses_keeps_its_traceback(tmp_path, body):
    done, log = run(tmp_path, body)
    assert done.returncode == 1
    assert log.startswith("Traceback")
