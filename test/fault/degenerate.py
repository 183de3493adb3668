"""The table "Data at the edges" of docs/reliability.md: each command ends with its status and says its words in one line;
what fails leaves nothing behind; the same through GGUF."""
import json, os, re, shlex, subprocess, sys, tempfile

program = os.path.abspath(os.environ.get("DEPTHPRUNE", "build/depthprune"))
FAILURES = []


def make_data(folder):
    subprocess.run([sys.executable, "test/fault/make_models.py", folder], check=True)
    texts = {"empty.txt": "", "empty.jsonl": "", "blank.txt": "\n\n\n", "short.txt": "the tea"}
    row = [i % 200 + 3 for i in range(65)]
    ids = {"none": [], "row0": [[]], "one": [[5]], "two": [[1, 2]], "ids64": [row[:64]] * 2, "ids65": [row] * 2,
           "ragged": [[1, 2, 3], [4, 5]], "above": [[1, 2, 288] + row[:40]], "below": [[1, -1, 2]]}
    texts.update((name + ".json", json.dumps(rows)) for name, rows in ids.items())
    for name, text in texts.items():
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
    for arguments in ("score bytes --criterion mag -o scores.json", "convert bytes -o bytes.gguf",
                      "score bytes.gguf --criterion mag -o gguf-scores.json"):
        subprocess.run([program, *arguments.split(), "-q"], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def run(folder, command, status, words):
    before = sorted(os.listdir(folder))
    result = subprocess.run([program, *shlex.split(command), "-q"], cwd=folder, capture_output=True, timeout=60)
    said = result.stderr.decode()
    wrong = []
    if result.returncode != status:
        wrong.append("status %d, not %d" % (result.returncode, status))
    if status and words not in said:
        wrong.append("does not say '%s'" % words)
    if said.count("\n") != (status > 0) or len(said) > 4096:
        wrong.append("not one line")
    if status and (sorted(os.listdir(folder)) != before or result.stdout):
        wrong.append("something is printed or left behind")
    if not status and not result.stdout:
        wrong.append("nothing is printed")
    subprocess.run(["rm", "-rf", os.path.join(folder, "new")], check=True)
    if wrong:
        FAILURES.append(command)
        print("FAILED: %s: %s: %s" % (command, "; ".join(wrong), said.strip()))


def main():
    text = open("docs/reliability.md").read().split("## Data at the edges")[1].split("\n## ")[0]
    rows = re.findall(r"^\| [^|]+ \| `([^`]+)` \| (\d) \| ([^|]+) \|$", text, re.M)
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        make_data(folder)
        for command, status, words in rows:
            run(folder, command, int(status), words)
            count += 1
            if "--max-shard-size" not in command:
                other = command.replace(" bytes", " bytes.gguf", 1).replace(" scores.json", " gguf-scores.json")
                run(folder, other, int(status), words)
                count += 1
    print("%d commands on data at the edges, %d bad" % (count, len(FAILURES)))
    if len(rows) < 40:
        sys.exit("only %d rows are read from docs/reliability.md" % len(rows))
    sys.exit(bool(FAILURES))


main()
