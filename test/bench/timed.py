"""Run a command as a whole process; append seconds, peak memory (MiB) and its document's own seconds to a file."""
import json
import resource
import subprocess
import sys
import time

began = time.perf_counter()
done = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, check=True)
seconds = time.perf_counter() - began
document = json.loads(done.stdout)
row = {"seconds": seconds, "peak_MiB": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
       "order": document.get("order"), "protocol": document.get("protocol")}
with open(sys.argv[1], "a") as file:
    file.write(json.dumps(row) + "\n")
