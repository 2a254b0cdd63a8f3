import subprocess
import sys

CALL = """
import sys
from multilabel import devices
devices.configure(1, gpu=False)
import keras
print(*sorted({"matplotlib", "sklearn"} & set(sys.modules)), "|")
import matplotlib.pyplot, sklearn.linear_model
"""


def test_a_job_starts_without_packages_that_only_keras_looks_for_and_can_use_them_later():
    done = subprocess.run([sys.executable, "-c", CALL], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "|\n"
    assert done.stderr == ""  # neither does TensorFlow say what it always says
