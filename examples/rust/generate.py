"""Declare the library's C interface in Rust, from its headers: every function, struct, callback and constant.

usage: generate.py sys    INCLUDE    the module src/sys.rs, on standard output
       generate.py c      INCLUDE    a C program that prints the size of every struct and the place of every field
       generate.py rust   INCLUDE    the same in Rust, over the module; it links every function too

The headers keep to a small part of C (fixed-width integers, no bit fields, no unions); anything else stops this script.
Standard library only.
"""
import re
import sys
from pathlib import Path

NUMBERS = {"int": "c_int", "char": "c_char", "unsigned char": "u8", "float": "f32", "double": "f64", "size_t": "usize",
           "int32_t": "i32", "uint32_t": "u32", "int64_t": "i64", "uint64_t": "u64", "void": "c_void"}
RESERVED = {"type", "fn", "in", "move", "where", "match", "ref", "self", "use", "loop", "box", "final", "mod", "pub"}
TOKEN = re.compile(r"\s*([A-Za-z_]\w*|-?\d+\w*|\.\.\.|<<|[{}()\[\];,*=+|&~-])")


class Words:
    """The tokens of all headers, read one after another."""

    def __init__(self, text):
        self.items, at = [], 0
        while text[at:].strip():
            found = TOKEN.match(text, at)
            if not found:
                raise SystemExit("cannot read: %r" % text[at:at + 60].strip())
            self.items.append(found.group(1))
            at = found.end()
        self.at = 0

    def peek(self, ahead=0):
        return self.items[self.at + ahead] if self.at + ahead < len(self.items) else ""

    def take(self, wanted=None):
        word = self.peek()
        if wanted is not None and word != wanted:
            raise SystemExit("%r stands where %r is wanted: %s" % (word, wanted, self.items[self.at - 8:self.at + 4]))
        self.at += 1
        return word

    def skip(self, word):
        if self.peek() == word:
            self.at += 1
            return True
        return False


class Headers:
    def __init__(self, folder):
        self.constants, self.opaque, self.structs, self.callbacks, self.functions = [], [], [], [], []
        text = []
        for path in sorted(Path(folder).glob("depthprune/**/*.h")):
            source = re.sub(r"/\*.*?\*/|//[^\n]*", " ", path.read_text(), flags=re.S)
            source = re.sub(r"#ifdef __cplusplus.*?#endif", " ", source, flags=re.S)
            self.constants += re.findall(r"^#define (DP_\w+) (\d+)$", source, flags=re.M)
            text.append(re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", " ", source, flags=re.M))
        self.words = Words("\n".join(text))
        while self.words.peek():
            self.declaration()

    def declaration(self):
        words = self.words
        if words.skip("enum"):
            self.constants += self.enumerators()
        elif words.skip("typedef"):
            self.typedef()
        else:
            words.take("DP_API")
            name, kind = self.declarator(self.base())
            if kind[0] != "function":
                raise SystemExit("%s is no function" % name)
            self.functions.append((name, kind))
        words.take(";")

    def enumerators(self):
        words, found = self.words, []
        words.take("{")
        while not words.skip("}"):
            name = words.take()
            words.take("=")
            value = ""
            while words.peek() not in (",", "}"):
                value += words.take()
            words.skip(",")
            found.append((name, value))
        return found

    def typedef(self):
        words = self.words
        if words.peek() == "struct" and words.peek(2) != "{":
            words.take("struct")
            self.opaque.append(words.take())
            words.take()
        elif words.skip("struct"):
            words.take()
            fields = []
            words.take("{")
            while not words.skip("}"):
                base = self.base()
                fields.append(self.declarator(base))
                while words.skip(","):
                    fields.append(self.declarator(base))
                words.take(";")
            self.structs.append((words.take(), fields))
        else:
            self.callbacks.append(self.declarator(self.base()))

    def base(self):
        words, constant, kind = self.words, False, []
        while words.peek() in ("const", "unsigned", "struct") or not kind:
            word = words.take()
            if word == "const":
                constant = True
            elif word != "struct":
                kind.append(word)
            if word == "unsigned":
                kind.append(words.take())
        return ("name", " ".join(kind), constant)

    def declarator(self, kind):
        """One name with its stars, brackets and arguments: (name, type)."""
        words = self.words
        while words.skip("*"):
            kind = ("pointer", kind, words.skip("const"))
        if words.skip("("):  # a pointer to a function
            words.take("*")
            name = words.take()
            words.take(")")
            return name, ("callback", self.arguments(), kind)
        name = words.take() if words.peek() not in (",", ")") else ""
        if words.peek() == "(":
            return name, ("function", self.arguments(), kind)
        while words.skip("["):
            kind = ("array", kind, int(words.take()))
            words.take("]")
        return name, kind

    def arguments(self):
        words, found = self.words, []
        words.take("(")
        if words.peek() == "void" and words.peek(1) == ")":
            words.take()
        while not words.skip(")"):
            name, kind = self.declarator(self.base())
            if kind[0] == "array":  # an array argument is a pointer
                kind = ("pointer", kind[1], False)
            found.append((name, kind))
            words.skip(",")
        return found


def rust_name(name):
    return name + "_" if name in RESERVED else name


def rust_type(kind):
    if kind[0] == "name":
        return NUMBERS.get(kind[1], kind[1])
    if kind[0] == "pointer":
        target = kind[1]
        constant = target[2] if target[0] in ("name", "pointer") else False
        return "*%s %s" % ("const" if constant else "mut", rust_type(target))
    if kind[0] == "array":
        return "[%s; %d]" % (rust_type(kind[1]), kind[2])
    return "Option<unsafe extern \"C\" fn%s>" % rust_call(kind)


def rust_call(kind):
    arguments = ", ".join("%s: %s" % (rust_name(name) or "_", rust_type(of)) for name, of in kind[1])
    result = "" if kind[2] == ("name", "void", False) else " -> " + rust_type(kind[2])
    return "(%s)%s" % (arguments, result)


def module(headers):
    out = ["//! The C interface of libdepthprune.  Written by generate.py from the headers, which say what everything means:",
           "//! do not edit, run it again.", "#![allow(non_camel_case_types, clippy::all)]",
           "use std::os::raw::{c_char, c_int, c_void};", ""]
    for name, value in headers.constants:
        out.append("pub const %s: i32 = %s;" % (name, value))
    for name in headers.opaque:
        out += ["", "#[repr(C)]", "pub struct %s {" % name, "    _opaque: [u8; 0],",
                "    _not_shared: std::marker::PhantomData<*mut u8>,", "}"]
    for name, kind in headers.callbacks:
        out += ["", "pub type %s = %s;" % (name, rust_type(kind))]
    for name, fields in headers.structs:
        out += ["", "#[repr(C)]", "#[derive(Clone, Copy)]", "pub struct %s {" % name]
        out += ["    pub %s: %s," % (rust_name(field), rust_type(kind)) for field, kind in fields]
        out += ["}"]
    out += ["", "extern \"C\" {"]
    out += ["    pub fn %s%s;" % (name, rust_call(kind)) for name, kind in headers.functions]
    out += ["}"]
    structs = {name for name, _ in headers.structs}
    for name, kind in headers.functions:  # option structs begin as the library's defaults
        if name.endswith("_options_init") and name[:-len("_init")] in structs:
            out += ["", "impl Default for %s {" % name[:-len("_init")], "    fn default() -> Self {",
                    "        unsafe {", "            let mut options: Self = std::mem::zeroed();",
                    "            %s(&mut options, std::mem::size_of::<Self>());" % name,
                    "            options", "        }", "    }", "}"]
    return out


def layout_in_c(headers):
    out = ["#include <depthprune/depthprune.h>", "#include <depthprune/sys/backend.h>", "#include <stdio.h>",
           "int main(void)", "{"]
    for name, fields in headers.structs:
        out.append('printf("%s %%zu %%zu\\n", sizeof(%s), _Alignof(%s));' % (name, name, name))
        out += ['printf("%s.%s %%zu %%zu\\n", offsetof(%s, %s), sizeof(((%s *)0)->%s));'
                % (name, field, name, field, name, field) for field, _ in fields]
    out += ['printf("%s %%lld\\n", (long long)%s);' % (name, name) for name, _ in headers.constants]
    return out + ["return 0;", "}"]


def layout_in_rust(headers):
    out = ["use depthprune::sys::*;", "use std::mem::{align_of, size_of, MaybeUninit};",
           "fn size_of_place<T>(_: *const T) -> usize { size_of::<T>() }", "fn main() {"]
    for name, fields in headers.structs:
        out += ["    let one = MaybeUninit::<%s>::uninit();" % name, "    let whole = one.as_ptr();",
                '    println!("%s {} {}", size_of::<%s>(), align_of::<%s>());' % (name, name, name)]
        for field, _ in fields:
            out += ["    let place = unsafe { std::ptr::addr_of!((*whole).%s) };" % rust_name(field),
                    '    println!("%s.%s {} {}", place as usize - whole as usize, size_of_place(place));' % (name, field)]
    out += ['    println!("%s {}", %s);' % (name, name) for name, _ in headers.constants]
    out += ["    let functions = ["] + ["        %s as *const ()," % name for name, _ in headers.functions] + ["    ];"]
    return out + ["    assert!(functions.iter().all(|f| !f.is_null()));", "}"]


if __name__ == "__main__":
    kinds = {"sys": module, "c": layout_in_c, "rust": layout_in_rust}
    if len(sys.argv) != 3 or sys.argv[1] not in kinds:
        sys.exit(__doc__)
    print("\n".join(kinds[sys.argv[1]](Headers(sys.argv[2]))))
