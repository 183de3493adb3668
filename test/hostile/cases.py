"""Every case, from the tables of its format."""
import cases_config
import cases_safetensors
import cases_data
import cases_gguf
import cases_odd
import cases_sharded
import cases_tokenizer
import cases_torch

TABLES = [cases_safetensors, cases_sharded, cases_config, cases_tokenizer, cases_gguf, cases_data,
          cases_torch, cases_odd]
LEFT_OUT = ["left out, for no reader exists yet: recipes, LoRA adapters, checkpoints"]


class Case:
    def __init__(self, group, row):
        self.group, self.name = group["group"], row[0]
        self.change = row[1]
        self.words = row[2] if isinstance(row[2], tuple) else (row[2],)
        extra = {**group, **(row[3] if len(row) > 3 else {})}
        self.base, self.command = extra.get("base", "hf"), extra.get("command", "inspect")
        self.file, self.model = extra.get("file", ""), extra.get("model")
        self.accepted, self.plain = extra.get("accepted", False), extra.get("plain", False)
        self.like, self.tolerance = extra.get("like"), extra.get("tolerance", 1e-5)
        self.expect = extra.get("expect", {})
        self.same = extra.get("same", True)
        self.unprivileged = extra.get("unprivileged", False)
        self.title = "%s: %s" % (self.group, self.name)


def every():
    groups = [group for tables in TABLES for group in tables.GROUPS]
    for group in groups:
        if not 2 <= len(group["rows"]) <= 15:
            raise SystemExit("%s has %d cases, not 2 to 15" % (group["group"], len(group["rows"])))
    return [Case(group, row) for group in groups for row in group["rows"]]


def plain(base, command):
    return Case({"group": "plain", "base": base, "command": command, "plain": True, "accepted": True},
                (base + ", " + command, lambda folder: None, ()))
