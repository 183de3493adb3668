#!/usr/bin/env python3
"""Prints src/text/unicode_nfc.c or src/text/unicode_word.c, from the Unicode tables of this Python (14.0 in 3.11, as in
PCRE2 10.42), or the digests that test/unit/text/test_nfc.c wants.

usage: python3 test/golden/unicode_tables.py nfc|word|digests
"""
import hashlib
import sys
import textwrap
import unicodedata

HANGUL = range(0xac00, 0xd7a4)
# Alphabetic but neither letter nor mark nor number: circled, squared and negative Latin letters.
CIRCLED = [*range(0x24b6, 0x24ea), *range(0x1f130, 0x1f14a), *range(0x1f150, 0x1f16a), *range(0x1f170, 0x1f18a)]


def points():
    return (p for p in range(0x110000) if not 0xd800 <= p < 0xe000)


def table(kind, name, numbers):
    text = textwrap.fill(",".join(map(str, numbers)).replace(",", ", "), 116).replace(", ", ",").replace(",\n", ",\n    ")
    print(f"const {kind} {name}[{len(numbers)}] = {{\n    {text}}};")


def ranges(value):
    """[first, last, value] of the runs of code points whose value is not 0."""
    found = []
    for point in points():
        here = value(point)
        if here and found and found[-1][1:] == [point - 1, here]:
            found[-1][1] = point
        elif here:
            found.append([point, point, here])
    return found


def is_word(point):
    kind = unicodedata.category(chr(point))
    return kind[0] in "LM" or kind in ("Nl", "Nd", "Pc") or point in CIRCLED or point in (0x200c, 0x200d)


def print_nfc():
    pairs, singles = [], []
    for point in points():
        parts = unicodedata.decomposition(chr(point)).split()
        if not parts or parts[0].startswith("<") or point in HANGUL:
            continue
        (pairs if len(parts) == 2 else singles).append([point, *(int(part, 16) for part in parts)])
    assert not {p[2] for p in pairs} & {p[0] for p in pairs + singles}, "only first halves are taken apart again"
    order = sorted((i for i, (point, first, second) in enumerate(pairs)
                    if unicodedata.normalize("NFC", chr(first) + chr(second)) == chr(point)), key=lambda i: pairs[i][1:])
    print("// Made by test/golden/unicode_tables.py from Unicode", unicodedata.unidata_version + ".")
    print('#include "text/unicode_tables.h"\n\n// clang-format off')
    table("uint32_t", "dpi_nfc_pairs", [n for pair in pairs for n in pair])
    table("uint16_t", "dpi_nfc_order", order)
    table("uint32_t", "dpi_nfc_singles", [n for single in singles for n in single])
    table("uint32_t", "dpi_nfc_classes", [n for run in ranges(lambda p: unicodedata.combining(chr(p))) for n in run])


def print_word():
    print("// Made by test/golden/unicode_tables.py from Unicode", unicodedata.unidata_version + ".")
    print('#include "text/unicode_tables.h"\n\n// clang-format off')
    table("uint32_t", "dpi_word_ranges", [n for first, last, _ in ranges(is_word) for n in (first, last)])


def print_digests():
    every, mixed = hashlib.sha256(), hashlib.sha256()
    for point in points():
        for text in (chr(point), f"e{chr(point)}\u0323\u0301{chr(point)}"):
            every.update(unicodedata.normalize("NFC", text + "\n").encode())
    # as the test draws them: starts and lengths of the ranges that hold all there is to compose
    ranges, state = [(0, 0x370), (0x300, 0x70), (0x591, 0x60), (0x900, 0x500), (0x1100, 0x100), (0x1dc0, 0x240), (0xac00, 0x200),
                     (0xfb1d, 0x33), (0x11080, 0x300), (0x1d150, 0x80)], 1
    for _ in range(20000):
        text = ""
        for _ in range(12):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2 ** 64
            first, count = ranges[(state >> 33) % len(ranges)]
            text += chr(first + (state >> 40) % count)
        mixed.update(unicodedata.normalize("NFC", text + "\n").encode())
    print(every.hexdigest(), mixed.hexdigest(), sep="\n")


if __name__ == "__main__":
    {"nfc": print_nfc, "word": print_word, "digests": print_digests}[sys.argv[1]]()
