"""Tiny valid models, in parts that a case can change before they become files."""
import json
import struct

HIDDEN, HEADS, KV, HEAD, FFN, BLOCKS, VOCAB = 32, 4, 2, 8, 64, 3, 272
SPACE = "\u2581"


def weights():
    """Multiples of 1/64 below 1/2: the same numbers in f32, f16 and bf16."""
    state = 12345
    shapes = [("model.embed_tokens.weight", (VOCAB, HIDDEN))]
    for block in range(BLOCKS):
        layer = "model.layers.%d." % block
        shapes += [(layer + "input_layernorm.weight", (HIDDEN,)),
                   (layer + "self_attn.q_proj.weight", (HEADS * HEAD, HIDDEN)),
                   (layer + "self_attn.k_proj.weight", (KV * HEAD, HIDDEN)),
                   (layer + "self_attn.v_proj.weight", (KV * HEAD, HIDDEN)),
                   (layer + "self_attn.o_proj.weight", (HIDDEN, HEADS * HEAD)),
                   (layer + "post_attention_layernorm.weight", (HIDDEN,)),
                   (layer + "mlp.gate_proj.weight", (FFN, HIDDEN)),
                   (layer + "mlp.up_proj.weight", (FFN, HIDDEN)),
                   (layer + "mlp.down_proj.weight", (HIDDEN, FFN))]
    shapes += [("model.norm.weight", (HIDDEN,)), ("lm_head.weight", (VOCAB, HIDDEN))]
    made = []
    for name, shape in shapes:
        count, values = 1, []
        for extent in shape:
            count *= extent
        for _ in range(count):
            state = (state * 1103515245 + 12345) & 0x7fffffff
            values.append(1.0 if len(shape) == 1 else ((state >> 16) % 61 - 30) / 64)
        made.append((name, shape, values))
    return made


WEIGHTS = weights()


def pack(values, dtype):
    if dtype == "BF16":
        words = struct.unpack("<%dI" % len(values), struct.pack("<%df" % len(values), *values))
        return struct.pack("<%dH" % len(values), *(word >> 16 for word in words))
    return struct.pack("<%d%s" % (len(values), {"F32": "f", "F16": "e", "F64": "d"}[dtype]), *values)


class Safetensors:
    """Tensors by name as [dtype, shape, begin, end]; the header's text and the whole file can be edited, too."""

    def __init__(self, dtype="F32", tensors=WEIGHTS):
        self.tensors, self.data = {}, bytearray()
        for name, shape, values in tensors:
            self.add(name, dtype, list(shape), pack(values, dtype))
        self.metadata = {"format": "pt"}
        self.header_edits, self.length, self.file_edits, self.order = [], None, [], None

    def add(self, name, dtype, shape, data):
        self.tensors[name] = [dtype, shape, len(self.data), len(self.data) + len(data)]
        self.data += data

    def put(self, name, offset, raw):
        """Bytes into a tensor's data; a negative offset counts from its end."""
        _, _, begin, end = self.tensors[name]
        at = (end if offset < 0 else begin) + offset
        self.data[at:at + len(raw)] = raw

    def header(self):
        names = self.order or list(self.tensors)
        entries = [] if self.metadata is None else [("__metadata__", self.metadata)]
        for name in names:
            dtype, shape, begin, end = self.tensors[name]
            entries.append((name, {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}))
        text = "{" + ",".join(json.dumps(n) + ":" + json.dumps(e, separators=(",", ":")) for n, e in entries) + "}"
        text = text.encode()
        text += b" " * (-len(text) % 8)
        for edit in self.header_edits:
            text = edit(text)
        return text

    def build(self):
        text = self.header()
        length = struct.pack("<Q", len(text) if self.length is None else self.length)
        whole = length + text + bytes(self.data)
        for edit in self.file_edits:
            whole = edit(whole)
        return whole


class Object:
    """A JSON object whose members are raw JSON texts, so that any text can stand there."""

    def __init__(self, members):
        self.members = {key: json.dumps(value) for key, value in members.items()}
        self.edits = []

    def build(self):
        text = "{\n" + ",\n".join("  %s: %s" % (json.dumps(k), v) for k, v in self.members.items()) + "\n}\n"
        text = text.encode()
        for edit in self.edits:
            text = edit(text)
        return text


class Tree:
    """A JSON document that is changed as Python's values and then as text."""

    def __init__(self, root, indent=None):
        self.root, self.indent, self.edits = root, indent, []

    def build(self):
        text = json.dumps(self.root, indent=self.indent, ensure_ascii=False).encode("utf-8", "surrogatepass")
        for edit in self.edits:
            text = edit(text)
        return text


def config(**changes):
    members = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": HIDDEN,
               "num_hidden_layers": BLOCKS, "num_attention_heads": HEADS, "num_key_value_heads": KV,
               "intermediate_size": FFN, "vocab_size": VOCAB, "max_position_embeddings": 256,
               "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": False,
               "attention_bias": False, "mlp_bias": False, "bos_token_id": 1, "eos_token_id": 2,
               "torch_dtype": "float32"}
    members.update(changes)
    return Object(members)


def bytemap():
    keep = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    table, extra = {}, 0
    for byte in range(256):
        table[byte] = chr(byte) if byte in keep else chr(256 + extra)
        extra += byte not in keep
    return table


def byte_level():
    """(tokens, merges): 256 bytes, 12 merges, and a begin and an end."""
    tokens = [bytemap()[byte] for byte in range(256)]
    merges = [("t", "h"), ("th", "e"), ("\u0120", "t"), ("\u0120t", "he"), ("h", "e"), ("a", "n"), ("an", "d"),
              ("\u0120", "a"), ("o", "r"), ("i", "n"), ("in", "g"), ("e", "r")]
    for left, right in merges:
        if left + right not in tokens:
            tokens.append(left + right)
    while len(tokens) < VOCAB - 2:
        tokens.append("unused%d" % len(tokens))
    return tokens + ["<|begin|>", "<|end|>"], merges


def special(number, text):
    return {"id": number, "content": text, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": False, "special": True}


def tokenizer_bytes():
    tokens, merges = byte_level()
    return Tree({"version": "1.0", "truncation": None, "padding": None,
                 "added_tokens": [special(VOCAB - 2, "<|begin|>"), special(VOCAB - 1, "<|end|>")],
                 "normalizer": None,
                 "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                     {"type": "Split", "pattern": {"Regex": "\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+|\\s+"},
                      "behavior": "Isolated", "invert": False},
                     {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}]},
                 "post_processor": None,
                 "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True,
                  "use_regex": True},
                 "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                           "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                           "ignore_merges": False, "vocab": {t: i for i, t in enumerate(tokens)},
                           "merges": [a + " " + b for a, b in merges]}}, 1)


def llama_pieces():
    """(text, score, type) of a SentencePiece BPE model with 256 bytes."""
    made = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3)]
    made += [("<0x%02X>" % byte, 0.0, 6) for byte in range(256)]
    for rank, text in enumerate(["th", "the", SPACE + "the", "an", "and"]):
        made.append((text, -float(rank), 1))
    for letter in ["t", "h", "e", "a", "n", "d", SPACE]:
        made.append((letter, -100.0, 1))
    while len(made) < VOCAB:
        made.append(("unused%d" % len(made), -200.0, 1))
    return made


def tokenizer_llama():
    pieces = llama_pieces()
    return Tree({"version": "1.0", "truncation": None, "padding": None,
                 "added_tokens": [special(i, pieces[i][0]) for i in range(3)],
                 "normalizer": {"type": "Sequence", "normalizers": [
                     {"type": "Prepend", "prepend": SPACE},
                     {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}]},
                 "pre_tokenizer": None,
                 "post_processor": {"type": "TemplateProcessing",
                                    "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
                                               {"Sequence": {"id": "A", "type_id": 0}}],
                                    "pair": [],
                                    "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
                 "decoder": None,
                 "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
                           "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True,
                           "vocab": {text: i for i, (text, _, _) in enumerate(pieces)},
                           "merges": ["t h", "th e", SPACE + " the", "a n", "an d"]}}, 1)


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def field(number, value):
    """One protocol buffer field: int, float or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def piece(text, score=0.0, kind=1):
    raw = text if isinstance(text, bytes) else text.encode()
    return field(1, raw) + field(2, float(score)) + field(3, kind)


class SentencePiece:
    def __init__(self):
        self.pieces = [piece(*one) for one in llama_pieces()]
        self.trainer = {3: 2, 4: VOCAB, 24: 0, 35: 1, 40: 0, 41: 1, 42: 2, 43: 2 ** 64 - 1}
        self.normalizer = {1: b"identity", 2: b"", 3: 1, 4: 0, 5: 1}
        self.head, self.tail, self.file_edits = b"", b"", []

    def build(self):
        whole = self.head + b"".join(field(1, one) for one in self.pieces)
        whole += field(2, b"".join(field(*one) for one in self.trainer.items()))
        whole += field(3, b"".join(field(*one) for one in self.normalizer.items())) + self.tail
        for edit in self.file_edits:
            whole = edit(whole)
        return whole


# ---- GGUF

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
LETTERS = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f", BOOL: "B", U64: "Q", I64: "q",
 F64: "d"}
TENSOR_TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 8, "BF16": 30}
NAMES = {"input_layernorm.weight": "attn_norm.weight", "self_attn.q_proj.weight": "attn_q.weight",
         "self_attn.k_proj.weight": "attn_k.weight", "self_attn.v_proj.weight": "attn_v.weight",
         "self_attn.o_proj.weight": "attn_output.weight", "post_attention_layernorm.weight": "ffn_norm.weight",
         "mlp.gate_proj.weight": "ffn_gate.weight", "mlp.up_proj.weight": "ffn_up.weight",
         "mlp.down_proj.weight": "ffn_down.weight"}
OUTER = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
         "lm_head.weight": "output.weight"}


def string(text):
    raw = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(raw)) + raw


def value(kind, number):
    return string(number) if kind == STRING else struct.pack("<" + LETTERS[kind], number)


def array(kind, items):
    return struct.pack("<IQ", kind, len(items)) + b"".join(value(kind, item) for item in items)


def gguf_name(name):
    if name in OUTER:
        return OUTER[name]
    _, _, block, rest = name.split(".", 3)
    return "blk.%s.%s" % (block, NAMES[rest])


def interleave(values, heads):
    """The rows of q and k in GGUF's order: the two halves of a head alternate."""
    rows = [values[at:at + HIDDEN] for at in range(0, len(values), HIDDEN)]
    made = []
    for head in range(heads):
        for pair in range(HEAD // 2):
            made += rows[head * HEAD + pair] + rows[head * HEAD + HEAD // 2 + pair]
    return made


def quantize(values, kind):
    out = bytearray()
    for at in range(0, len(values), 32):
        block = values[at:at + 32]
        if kind == "Q8_0":
            out += struct.pack("<e32b", 1 / 64, *(round(v * 64) for v in block))
        else:
            codes = [max(0, min(15, round(v * 16) + 8)) for v in block]
            out += struct.pack("<e16B", 1 / 16, *(codes[i] | codes[i + 16] << 4 for i in range(16)))
    return bytes(out)


class Gguf:
    """keys: name -> [type, raw value]; tensors: [name, dims fastest first, type, offset or None, data]."""

    def __init__(self, dtype="F32", tokenizer="gpt2"):
        self.magic, self.version, self.alignment = b"GGUF", 3, 32
        self.counts, self.file_edits, self.tail = [None, None], [], b""
        self.keys, self.tensors, self.more = {}, [], b""
        self.put("general.architecture", STRING, "llama")
        for key, number in [("block_count", BLOCKS), ("context_length", 256), ("embedding_length", HIDDEN),
                            ("feed_forward_length", FFN), ("attention.head_count", HEADS),
                            ("attention.head_count_kv", KV), ("rope.dimension_count", HEAD), ("vocab_size", VOCAB)]:
            self.put("llama." + key, U32, number)
        self.put("llama.attention.layer_norm_rms_epsilon", F32, 1e-5)
        self.put("llama.rope.freq_base", F32, 10000.0)
        self.add_gpt2() if tokenizer == "gpt2" else self.add_llama()
        for name, shape, numbers in WEIGHTS:
            self.add_weight(name, shape, numbers, dtype)

    def put(self, key, kind, number):
        self.keys[key] = [kind, value(kind, number)]

    def put_array(self, key, kind, items):
        self.keys[key] = [ARRAY, array(kind, items)]

    def add_gpt2(self):
        tokens, merges = byte_level()
        self.put("tokenizer.ggml.model", STRING, "gpt2")
        self.put("tokenizer.ggml.pre", STRING, "gpt-2")
        self.put_array("tokenizer.ggml.tokens", STRING, tokens)
        self.put_array("tokenizer.ggml.token_type", I32, [1] * (VOCAB - 2) + [3, 3])
        self.put_array("tokenizer.ggml.merges", STRING, [a + " " + b for a, b in merges])
        self.put("tokenizer.ggml.bos_token_id", U32, 1)
        self.put("tokenizer.ggml.eos_token_id", U32, 2)

    def add_llama(self):
        pieces = llama_pieces()
        self.put("tokenizer.ggml.model", STRING, "llama")
        self.put_array("tokenizer.ggml.tokens", STRING, [p[0] for p in pieces])
        self.put_array("tokenizer.ggml.scores", F32, [p[1] for p in pieces])
        self.put_array("tokenizer.ggml.token_type", I32, [p[2] for p in pieces])
        self.put("tokenizer.ggml.bos_token_id", U32, 1)
        self.put("tokenizer.ggml.eos_token_id", U32, 2)

    def add_weight(self, name, shape, numbers, dtype):
        if "q_proj" in name or "k_proj" in name:
            numbers = interleave(numbers, HEADS if "q_proj" in name else KV)
        kind = "F32" if len(shape) == 1 else dtype
        data = quantize(numbers, kind) if kind[0] == "Q" else pack(numbers, kind)
        self.tensors.append([gguf_name(name), list(shape[::-1]), TENSOR_TYPES[kind], None, data])

    def tensor(self, name):
        return next(t for t in self.tensors if t[0] == name)

    def key_bytes(self):
        return b"".join(string(k) + struct.pack("<I", kind) + raw for k, (kind, raw) in self.keys.items())

    def build(self):
        counts = [len(self.tensors), len(self.keys)]
        counts = [made if given is None else given for given, made in zip(self.counts, counts)]
        whole = self.magic + struct.pack("<IQQ", self.version, *counts) + self.key_bytes() + self.more
        data, infos = b"", b""
        for name, dims, kind, offset, raw in self.tensors:
            infos += string(name) + struct.pack("<I%dQ" % len(dims), len(dims), *dims)
            infos += struct.pack("<IQ", kind, len(data) if offset is None else offset)
            data += raw + b"\0" * (-len(raw) % self.alignment)
        whole += infos
        whole += b"\0" * (-len(whole) % self.alignment) + data + self.tail
        for edit in self.file_edits:
            whole = edit(whole)
        return whole
