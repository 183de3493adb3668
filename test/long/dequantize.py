"""Random blocks of every computed type, scales that are NaN and infinite among them, against PyPI's gguf: the same bits.

usage: dequantize.py PROGRAM [SEED]     PROGRAM is dequantize.c, built
"""
import subprocess
import sys

import gguf
import numpy as np

BLOCKS = 20000
generator = np.random.default_rng(int(sys.argv[2]) if len(sys.argv) > 2 else 5)
failed = False
for name in "F16 BF16 Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K".split():
    kind = gguf.GGMLQuantizationType[name]
    count, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = generator.integers(0, 256, (BLOCKS, size), dtype=np.uint8)
    run = subprocess.run([sys.argv[1], str(int(kind)), str(BLOCKS)], input=blocks.tobytes(), capture_output=True, check=True)
    ours = np.frombuffer(run.stdout, dtype=np.float32).reshape(BLOCKS, count)
    with np.errstate(all="ignore"):
        theirs = (blocks.view(np.float16).astype(np.float32) if name == "F16" else gguf.quants.dequantize(blocks, kind))
    theirs = theirs.reshape(BLOCKS, count)
    odd = np.isnan(theirs)
    different = int(((ours.view(np.uint32) != theirs.view(np.uint32)) & ~odd).sum()) + int((odd != np.isnan(ours)).sum())
    failed |= different != 0
    print(f"{name:5} {theirs.size:8} values, {int(odd.sum()):6} NaN, {int(np.isinf(theirs).sum()):4} infinite, {different} different")
sys.exit(failed)
