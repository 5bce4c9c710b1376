"""`python -m benchmarks.voice`: the evaluation."""

from benchmarks.common import run
from benchmarks.voice.evaluate import evaluate

run(evaluate, many=None)
