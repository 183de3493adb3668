"""The hub's own reader takes the model cards that we write, whatever the parent's name and card say."""
import os
import subprocess
import sys
import tempfile

import yaml
from huggingface_hub import ModelCard

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
sys.path.append(sys.path.pop(1))
import tokenizers_support as support  # noqa: E402

NAMES = ["plain", "a b", "'", '"', "\\", "a: b", "- a", "# a", "{a}", "[a]", "&a", "*a", "!a", "%a", "@a", "|", ">", "null", "true", "1.5",
         "a\nb", "---", "```", "`x`", "a\tb", "a\x7f\u0085\u2028", "\ufffe\uffff", "\ufeff", "漢字", "\x1b[31m", "~"]
CARDS = [({"license": "llama2"}, {"license": "llama2"}), ({"license": ["apache-2.0", "mit"]}, {"license": "apache-2.0"}),
         ({"license": "other", "license_name": "llama 3", "license_link": "LICENSE", "tags": ["x"]},
          {"license": "other", "license_name": "llama 3", "license_link": "LICENSE"}),
         ({"license": "a: b\nc", "license_name": "]", "license_link": "javascript:alert('x')"}, {})]


def save(folder, name, card):
    source, target = os.path.join(folder, name), os.path.join(folder, "out")
    os.mkdir(source)
    support.write_model(source, 64)
    with open(source + "/README.md", "w") as file:
        file.write("---\n" + yaml.safe_dump(card) + "---\n# Its own words\n")
    subprocess.run(["build/depthprune", "convert", source, "-o", target, "--quiet", "--json", "--force"], check=True,
                   stdout=subprocess.DEVNULL)
    loaded = ModelCard.load(target + "/README.md")
    assert "Its own words" not in loaded.text
    return loaded.data.to_dict()


def main():
    with tempfile.TemporaryDirectory() as folder:
        for name in NAMES:
            data = save(folder, name, {})
            assert isinstance(data["base_model"], str) and data["library_name"] == "transformers", name
            assert data["base_model"] == name or any(ord(c) < 32 or 0x7f <= ord(c) < 0xa0 or ord(c) in (0x2028, 0xfffe, 0xffff)
                                                     for c in name), (name, data)
            assert sorted(data) == ["base_model", "library_name", "pipeline_tag"], data
        for i, (card, wanted) in enumerate(CARDS):
            data = save(folder, f"card{i}", card)
            assert {key: data[key] for key in data if key.startswith("license")} == wanted, (card, data)
    print(len(NAMES) + len(CARDS), "model cards read back")


if __name__ == "__main__":
    main()
