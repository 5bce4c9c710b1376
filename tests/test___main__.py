"""The process of a command ends as Python would end it, but for taking apart what it has imported."""

import subprocess
import sys

_SCRIPT = """
import atexit, os, sys, threading, time
import tbd.cli.main as command
from tbd.__main__ import run

class Kept:
    def __del__(self):
        print("taken apart")

kept = Kept()

def work(end):
    atexit.register(print, "left for the end")
    threading.Thread(target=lambda: (time.sleep(0.2), print("the thread's last word"))).start()
    print("done")
    return end()

def fail():
    raise ValueError("a fault")

for end in (lambda: 0, lambda: 3, lambda: sys.exit(), lambda: sys.exit(5), lambda: sys.exit("a sentence"), fail):
    sys.stdout.flush()
    number = os.fork()
    if not number:
        command.main = lambda end=end: work(end)
        run()
        os._exit(99)  # it comes back
    print(os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]))
sys.stdout.flush()
os._exit(0)
"""


def test_threads_outputs_and_what_is_left_for_the_end_come_before_it():
    done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, text=True, timeout=120)
    said = ["done", "the thread's last word", "left for the end"]
    *ended, failed = [[*said, code] for code in ("0", "3", "0", "5", "1")] + [[*said, "taken apart", "1"]]
    assert done.stdout.splitlines() == [line for lines in [*ended, failed] for line in lines], done.stderr
    assert done.stderr.count("a sentence") == 1 and done.stderr.count("ValueError: a fault") == 1 and done.stderr.count("Traceback") == 1


def test_a_pipe_that_nobody_reads_is_no_error():
    with subprocess.Popen([sys.executable, "-m", "tbd", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b"" and process.wait() == 141
