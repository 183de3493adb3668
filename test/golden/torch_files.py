"""Write test/unit/io/torch_golden.h: small files that PyTorch itself has saved, as C arrays.   usage: OUT.h"""
import collections
import io
import sys
import zipfile

import torch


def saved(value, protocol=2):
    out = io.BytesIO()
    torch.save(value, out, pickle_protocol=protocol)
    return out.getvalue()


def array(out, name, data):
    out.write("\nstatic const unsigned char %s[] = {" % name)
    for i, byte in enumerate(data):
        out.write("%s0x%02x," % ("\n    " if i % 18 == 0 else " ", byte))
    out.write("\n};\n")


weight = torch.arange(12, dtype=torch.float32).reshape(4, 3)
mixed = collections.OrderedDict(
    weight=weight, tied=weight, half=torch.tensor([1, -2], dtype=torch.float16),
    brain=torch.tensor([[1.5], [-0.25]], dtype=torch.bfloat16), slice=torch.arange(5, dtype=torch.float32)[2:4],
    scalar=torch.tensor(7.0), parameter=torch.nn.Parameter(torch.tensor([3.0])))
module = torch.nn.Linear(2, 1)
with torch.no_grad():
    module.weight.copy_(torch.tensor([[1.0, 2.0]]))
    module.bias.fill_(3.0)
training = {"epoch": 3, "loss": 0.5, "seed": 2 ** 40, "tags": ["a", None, True], "lr": (0.1,), "empty": {},
            "state_dict": {"weight": weight}, "optimizer": {0: {"step": torch.tensor(9, dtype=torch.int64)}}}
with open(sys.argv[1], "w") as out:
    out.write("// Made by test/golden/torch_files.py with PyTorch %s.\n#ifndef TEST_IO_TORCH_GOLDEN_H\n"
              "#define TEST_IO_TORCH_GOLDEN_H\n// clang-format off\n" % torch.__version__.split("+")[0])
    array(out, "golden_mixed", saved(mixed))
    array(out, "golden_module", saved(module.state_dict(), 5))
    array(out, "golden_training", saved(training, 4))
    array(out, "golden_transposed", saved({"weight": weight.t()}))
    legacy = io.BytesIO()
    torch.save({"weight": weight}, legacy, _use_new_zipfile_serialization=False)
    array(out, "golden_legacy", legacy.getvalue())
    script = io.BytesIO()
    torch.jit.save(torch.jit.script(module), script)
    array(out, "golden_script", script.getvalue())
    out.write("\n#endif\n")
