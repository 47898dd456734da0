"""Runs a command and prints what it took as one JSON line: seconds, CPU seconds of it and its children, peak memory of the largest.

Usage: measure.py COMMAND …
"""

import json
import resource
import subprocess
import sys
import time

started = time.perf_counter()
code = subprocess.run(sys.argv[1:], stdout=sys.stderr).returncode
seconds = time.perf_counter() - started
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({
    "code": code,
    "seconds": round(seconds, 2),
    "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
    "peak_mib": round(usage.ru_maxrss / 1024),
}))
