"""Check a JSON document against a JSON Schema: schema.py SCHEMA DOCUMENT...

The part of draft 2020-12 that docs/schemas uses; a keyword that is not known here is an error, so that none is
passed over.
"""

import json
import os
import re
import sys

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "integer": int,
    "number": (int, float),
}
REMARKS = {"$schema", "title", "description"}


def is_type(value, name):
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, TYPES[name])


def check_type(value, wanted, _folder):
    names = wanted if isinstance(wanted, list) else [wanted]
    if not any(is_type(value, name) for name in names):
        yield "", "is %s, not %s" % (type(value).__name__, " or ".join(names))


def check_required(value, names, _folder):
    for name in names if isinstance(value, dict) else []:
        if name not in value:
            yield "", "lacks '%s'" % name


def check_properties(value, properties, folder):
    for name, schema in properties.items() if isinstance(value, dict) else []:
        if name in value:
            for place, fault in check(value[name], schema, folder):
                yield "/" + name + place, fault


def check_items(value, schema, folder):
    for index, item in enumerate(value if isinstance(value, list) else []):
        for place, fault in check(item, schema, folder):
            yield "/%d%s" % (index, place), fault


def check_enum(value, allowed, _folder):
    if value not in allowed:
        yield "", "is %r, not one of %r" % (value, allowed)


def check_const(value, wanted, _folder):
    if value != wanted:
        yield "", "is %r, not %r" % (value, wanted)


def check_minimum(value, least, _folder):
    if is_type(value, "number") and value < least:
        yield "", "is %r, below %r" % (value, least)


def check_pattern(value, pattern, _folder):
    if isinstance(value, str) and not re.search(pattern, value):
        yield "", "is %r, which does not match %s" % (value, pattern)


def check_reference(value, name, folder):
    yield from check(value, load(os.path.join(folder, name)), folder)


CHECKS = {
    "type": check_type,
    "required": check_required,
    "properties": check_properties,
    "items": check_items,
    "enum": check_enum,
    "const": check_const,
    "minimum": check_minimum,
    "pattern": check_pattern,
    "$ref": check_reference,
}


def check(value, schema, folder):
    """Yield (place, fault) for everything in value that schema does not allow."""
    for keyword, wanted in schema.items():
        if keyword not in REMARKS:
            yield from CHECKS[keyword](value, wanted, folder)


def no_constant(name):
    raise ValueError("%s is not JSON" % name)


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file, parse_constant=no_constant)


def main():
    schema, folder = load(sys.argv[1]), os.path.dirname(sys.argv[1])
    faults = 0
    for path in sys.argv[2:]:
        for place, fault in check(load(path), schema, folder):
            print("%s: %s %s" % (path, place or "/", fault))
            faults += 1
    sys.exit(faults > 0)


main()
