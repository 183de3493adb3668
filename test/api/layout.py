"""Compare sizes and offsets of the ctypes structures with the C headers.   usage: layout.py CC INCLUDE"""
import ctypes
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "examples", "python"))
import depthprune as dp

compiler, include = sys.argv[1:3]
lines, expected = [], []
for name, kind in sorted(dp.LAYOUTS.items()):
    lines.append('printf("%s %%zu\\n", sizeof(%s));' % (name, name))
    expected.append("%s %d" % (name, ctypes.sizeof(kind)))
    for field, _ in kind._fields_:
        lines.append('printf("%s.%s %%zu %%zu\\n", offsetof(%s, %s), sizeof(((%s *)0)->%s));'
                     % (name, field, name, field, name, field))
        expected.append("%s.%s %d %d" % (name, field, getattr(kind, field).offset, getattr(kind, field).size))
source = ("#include <depthprune/depthprune.h>\n#include <stdio.h>\nint main(void)\n{\n%s\nreturn 0;\n}\n"
          % "\n".join(lines))
with tempfile.TemporaryDirectory() as folder:
    program = os.path.join(folder, "layout")
    with open(program + ".c", "w") as file:
        file.write(source)
    subprocess.run(compiler.split() + ["-I", include, program + ".c", "-o", program], check=True)
    found = subprocess.run([program], check=True, capture_output=True, text=True).stdout.split("\n")[:-1]
different = [(f, e) for f, e in zip(found, expected) if f != e]
if different or len(found) != len(expected):
    sys.exit("layout differs (header, python): %s" % different[:5])
print("%d sizes and offsets agree" % len(found))
