"""Odd, but valid: what real uploads look like.  Each must be read, and be the model that the plain one is."""
import json
import struct

import tiny
from cases_gguf import key_of, list_of
from changes import *  # noqa: F403
from tiny import ARRAY, BOOL, F32, F64, I8, I16, I32, I64, STRING, U8, U16, U32, U64

IDS = {"base": "hf", "command": "eval-ids", "accepted": True}
TEXT = {"base": "hf", "command": "eval", "accepted": True}
HEAD, EMBEDDING, Q = "lm_head.weight", "model.embed_tokens.weight", "model.layers.1.self_attn.q_proj.weight"
LLAMA_1 = {"architectures": '["LLaMAForCausalLM"]', "bos_token_id": "0", "eos_token_id": "1", "pad_token_id": "-1",
           "max_sequence_length": "2048", "transformers_version": '"4.27.0.dev0"', "initializer_range": "0.02"}


def add(tensors, path=ST):
    def edit(file):
        for name, dtype, shape, data in tensors:
            file.add(name, dtype, shape, data)
    return part(path, edit)


def inverse_frequencies(dtype):
    data = tiny.pack([1.0, 0.1, 0.01, 0.001], dtype)
    return add([("model.layers.%d.self_attn.rotary_emb.inv_freq" % block, dtype, [4], data) for block in range(3)])


def copy_head(folder):
    """The head is the embedding, byte for byte."""
    file = folder[ST]
    file.put(HEAD, 0, bytes(file.data[file.tensors[EMBEDDING][2]:file.tensors[EMBEDDING][3]]))


def tie(with_head):
    def change(folder):
        copy_head(folder)
        config("tie_word_embeddings", "true")(folder)
        if not with_head:
            entry = folder[ST].tensors.pop(HEAD)
            del folder[ST].data[entry[2]:entry[3]]
    return change


def llama_1(folder):
    members = folder[CONFIG].members
    members.update(LLAMA_1)
    del members["max_position_embeddings"], members["rope_theta"]


def new_rope(folder):
    members = folder[CONFIG].members
    del members["rope_theta"]
    members["rope_parameters"] = '{"rope_type": "default", "rope_theta": 10000.0}'


def dtype(kind):
    return replace(ST, lambda: tiny.Safetensors(kind))


def mixed(folder):
    made = tiny.Safetensors("F16", [w for w in tiny.WEIGHTS if len(w[1]) == 2])
    for name, shape, values in tiny.WEIGHTS:
        if len(shape) == 1:
            made.add(name, "F32", list(shape), tiny.pack(values, "F32"))
    folder[ST] = made


def backwards(folder):
    """Data in another order than the header's."""
    made = tiny.Safetensors(tensors=tiny.WEIGHTS[::-1])
    made.order = [w[0] for w in tiny.WEIGHTS]
    folder[ST] = made


def metadata_last(text):
    root = json.loads(text)
    root["__metadata__"] = root.pop("__metadata__")
    return json.dumps(root).encode()


def hub_cache(folder):
    """Each file of the snapshot is a link to a blob."""
    for number, name in enumerate(sorted(n for n in folder if n.startswith("model/"))):
        folder["blobs/%040x" % number] = folder[name]
        folder[name] = Special("link", "../blobs/%040x" % number)


def move(name):
    def change(folder):
        for old in [n for n in folder if n.startswith("model/")]:
            folder[name + old[5:]] = folder.pop(old)
    return change


def linked_folder(folder):
    move("elsewhere")(folder)
    folder["model"] = Special("link", "elsewhere")


def rename_gguf(name):
    def change(folder):
        folder[name] = folder.pop(GGUF)
    return change


def at(path):
    return {"model": path}


def extra_keys(folder):
    file = folder[GGUF]
    for kind, number in [(U8, 255), (I8, -1), (U16, 65535), (I16, -1), (U32, 7), (I32, -7), (F32, 0.5), (BOOL, 1),
                         (STRING, "text"), (U64, 2 ** 63), (I64, -2 ** 63), (F64, float("nan"))]:
        file.put("extra.%d" % kind, kind, number)
        file.put_array("extra.array.%d" % kind, kind, [number] * 3)
        file.put_array("extra.empty.%d" % kind, kind, [])


def wide_counts(folder):
    for name in ["block_count", "embedding_length", "attention.head_count", "attention.head_count_kv"]:
        kind, raw = folder[GGUF].keys["llama." + name]
        folder[GGUF].put("llama." + name, U64, struct.unpack("<I", raw)[0])


def no_tokenizer(folder):
    for name in [n for n in folder[GGUF].keys if n.startswith("tokenizer.")]:
        del folder[GGUF].keys[name]


def crlf(path):
    return whole(path, lambda raw: raw.replace(b"\n", b"\r\n"))


def several(*changes):
    def change(folder):
        for one in changes:
            one(folder)
    return change


def list_merges(model):
    model["merges"] = [rule.split(" ") for rule in model["merges"]]


def metaspace(top):
    """The normalizer of LLaMA as newer files write it."""
    top["normalizer"] = None
    top["pre_tokenizer"] = {"type": "Metaspace", "replacement": tiny.SPACE, "prepend_scheme": "first",
     "split": False}


def large(hidden, ffn, blocks, kv, vocab):
    """(config, tensors) of a real model's shape; the tensors as (name, shape)."""
    key = 128 * kv
    shapes = [("model.embed_tokens.weight", [vocab, hidden])]
    for block in range(blocks):
        layer = "model.layers.%d." % block
        shapes += [(layer + "input_layernorm.weight", [hidden]), (layer + "self_attn.q_proj.weight", [hidden, hidden]),
                   (layer + "self_attn.k_proj.weight", [key, hidden]), (layer + "self_attn.v_proj.weight", [key, hidden]),
                   (layer + "self_attn.o_proj.weight", [hidden, hidden]),
                   (layer + "post_attention_layernorm.weight", [hidden]),
                   (layer + "mlp.gate_proj.weight", [ffn, hidden]), (layer + "mlp.up_proj.weight", [ffn, hidden]),
                   (layer + "mlp.down_proj.weight", [hidden, ffn])]
    shapes += [("model.norm.weight", [hidden]), ("lm_head.weight", [vocab, hidden])]
    said = tiny.config(hidden_size=hidden, num_hidden_layers=blocks, num_attention_heads=hidden // 128,
                       num_key_value_heads=kv, intermediate_size=ffn, vocab_size=vocab)
    return said, shapes


def size_of(shape):
    return shape[0] * (shape[1] if len(shape) > 1 else 1)


def sparse_safetensors(shapes, pad=8):
    """A header, and zeros that take no room."""
    entries, at = {}, 0
    for name, shape in shapes:
        entries[name] = {"dtype": "F16", "shape": shape, "data_offsets": [at, at + 2 * size_of(shape)]}
        at += 2 * size_of(shape)
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % pad)
    return Special("sparse", str(8 + len(text) + at), struct.pack("<Q", len(text)) + text)


def large_directory(*numbers, files=1):
    def change(folder):
        folder[CONFIG], shapes = large(*numbers)
        del folder[ST]
        if files == 1:
            folder[ST] = sparse_safetensors(shapes)
            return
        listed = {}
        for number in range(files):
            mine = shapes[number * len(shapes) // files:(number + 1) * len(shapes) // files]
            name = "model-%05d-of-%05d.safetensors" % (number + 1, files)
            folder["model/" + name] = sparse_safetensors(mine)
            listed.update({one[0]: name for one in mine})
        folder[INDEX] = json.dumps({"weight_map": listed}).encode()
    return change


def large_gguf(*numbers):
    def change(folder):
        _, shapes = large(*numbers)
        file, at, infos = folder[GGUF], 0, []
        for key, number in zip(["embedding_length", "feed_forward_length", "block_count", "attention.head_count_kv",
                                "vocab_size"], numbers):
            file.put("llama." + key, U32, number)
        file.put("llama.attention.head_count", U32, numbers[0] // 128)
        file.put("llama.rope.dimension_count", U32, 128)
        for name, shape in shapes:
            infos.append([tiny.gguf_name(name), shape[::-1], 1, at, b""])
            at += 2 * size_of(shape)
            at += -at % 32
        file.tensors = infos
        head = file.build()
        folder[GGUF] = Special("sparse", str(len(head) + at), head)
    return change


SEVEN, SEVENTY = (4096, 11008, 32, 32, 32000), (8192, 28672, 80, 8, 32000)

GROUPS = [
    {"base": "hf", "command": "look", "group": "odd: larger than the address space", "accepted": True, "same": False,
     "rows": [
         ("7B", large_directory(*SEVEN), (), {"expect": {"parameters": 6738415616}}),
         ("13B in 3 files", large_directory(5120, 13824, 40, 40, 32000, files=3), (),
          {"expect": {"parameters": 13015864320}}),
         ("70B in 15 files", large_directory(*SEVENTY, files=15), (), {"expect": {"parameters": 68976648192}}),
         ("70B in GGUF", large_gguf(*SEVENTY), (), {"base": "gguf", "expect": {"parameters": 68976648192}}),
         ("an embedding of 2^32 elements", large_directory(4096, 128, 1, 32, 2 ** 20), (),
          {"expect": {"vocab_size": 2 ** 20}}),
     ]},
    {**IDS, "group": "odd: config.json", "rows": [
        ("LLaMA-1, pad -1", llama_1, ()),
        ("eos list", config("eos_token_id", "[2, 1, 0]"), ()),
        ("ids null", several(config("eos_token_id", "null"), config("bos_token_id", "null")), ()),
        ("ids missing", several(config("eos_token_id", None), config("bos_token_id", None)), ()),
        ("CR LF", crlf(CONFIG), ()),
        ("one line", whole(CONFIG, lambda raw: raw.replace(b"\n", b"")), ()),
        ("escaped names", whole(CONFIG, lambda raw: raw.replace(b"hidden_size", b"hidden\\u005fsize")), ()),
        ("unknown keys", config("task_specific_params", '{"a": {"b": [1, null, "c"]}}'), ()),
        ("nested 60 levels", config("extra", "[" * 60 + "]" * 60), ()),
        ("rope_scaling null", config("rope_scaling", "null"), ()),
        ("rope_parameters", new_rope, ()),
        ("dtype instead of torch_dtype", several(config("torch_dtype", None), config("dtype", '"bfloat16"')), ()),
        ("theta an integer", config("rope_theta", "10000"), ()),
        ("head_dim said", config("head_dim", "8"), ()),
        ("head_dim null", config("head_dim", "null"), ()),
    ]},
    {**IDS, "group": "odd: safetensors", "rows": [
        ("rotary inv_freq", inverse_frequencies("F32"), ()),
        ("rotary inv_freq in f16", inverse_frequencies("F16"), ()),
        ("unaligned header", header(lambda text: text.rstrip() + b" " * (len(text.rstrip()) % 2 == 0)), ()),
        ("header padded by a page", header(lambda text: text + b" " * 4096), ()),
        ("header with line feeds", header(lambda text: json.dumps(json.loads(text), indent=2).encode()), ()),
        ("unordered header", backwards, ()),
        ("metadata last", header(metadata_last), ()),
        ("no metadata", part(ST, lambda file: setattr(file, "metadata", None)), ()),
        ("empty metadata", part(ST, lambda file: setattr(file, "metadata", {})), ()),
        ("more metadata", part(ST, lambda file: file.metadata.update(note="\u00e9\n", total="7")), ()),
        ("an unknown tensor", add([("model.vision.weight", "F32", [2, 2], b"\0" * 16)]), ()),
        ("an unknown tensor with a name of 1 MB", add([("\x1b\n" + "n" * (1 << 20), "F32", [1], b"\0" * 4)]), ()),
        ("an unknown tensor without elements", add([("model.empty", "F32", [0], b"")]), ()),
        ("an unknown scalar", add([("model.step", "I32", [], b"\7\0\0\0")]), ()),
        ("members beside dtype, shape and data_offsets", header_swap(
            '"lm_head.weight":{', '"lm_head.weight":{"note":"tied",'), ()),
    ]},
    {**IDS, "group": "odd: element types and heads", "rows": [
        ("F16", dtype("F16"), ()),
        ("BF16", dtype("BF16"), ()),
        ("matrices F16, norms F32", mixed, ()),
        ("tied head", tie(False), (), {"like": "copied"}),
        ("tied head that is there", tie(True), (), {"like": "copied"}),
        ("GGUF for the directory", lambda folder: folder.update({GGUF: tiny.Gguf()}), (), {"model": GGUF}),
        ("GGUF in BF16", lambda folder: folder.update({GGUF: tiny.Gguf("BF16")}), (), {"model": GGUF}),
    ]},
    {**IDS, "group": "odd: links and paths", "rows": [
        ("links of the hub's cache", hub_cache, ()),
        ("the folder is a link", linked_folder, ()),
        ("blanks and quotes", move("my \"best\" model's"), (), at("my \"best\" model's")),
        ("not ASCII", move("mod\u00e8le-\u6a21\u578b"), (), at("mod\u00e8le-\u6a21\u578b")),
        ("not UTF-8", move("mod\udce8le"), (), at("mod\udce8le")),
        ("a line feed and an escape", move("a\nb\x1b[31m"), (), at("a\nb\x1b[31m")),
        ("%s%n", move("%s%n%d"), (), at("%s%n%d")),
        ("255 letters", move("m" * 255), (), at("m" * 255)),
        ("3000 letters deep", move("/".join(["d" * 99] * 30)), (), at("/".join(["d" * 99] * 30))),
        ("ends in .gguf", move("model.gguf"), (), at("model.gguf")),
        ("a trailing slash", config("note", "1"), (), at("model/")),
        ("dots in it", config("note", "2"), (), at("./model/../model/.")),
        ("more in the folder", several(special("model/pipe", "fifo"), special("model/loop", "link", "loop"),
                                       replace("model/.gitattributes", b"*.safetensors filter=lfs\n")), ()),
        ("an index beside the one file", replace("model/model.safetensors.index.json", b"{}"), ()),
    ]},
    {**IDS, "group": "odd: sharded", "base": "sharded", "like": "hf", "rows": [
        ("as it is", config("note", "1"), ()),
        ("links of the hub's cache", hub_cache, ()),
        ("total_size is wrong", index(lambda root: root["metadata"].update(total_size=1)), ()),
        ("no metadata", index(lambda root: root.pop("metadata")), ()),
        ("index with CR LF", crlf(INDEX), ()),
    ]},
    {**IDS, "group": "odd: GGUF", "base": "gguf", "like": "hf", "rows": [
        ("version 2", gguf(lambda file: setattr(file, "version", 2)), ()),
        ("aligned to 64", gguf(lambda file: [setattr(file, "alignment", 64), file.put("general.alignment", U32, 64)]), ()),
        ("aligned to 8", gguf(lambda file: [setattr(file, "alignment", 8), file.put("general.alignment", U32, 8)]), ()),
        ("extra keys of every type", extra_keys, ()),
        ("counts of 64 bits", wide_counts, ()),
        ("kv heads of each block", list_of("llama.attention.head_count_kv", I32, [2, 2, 2]), ()),
        ("no vocab_size", gguf(lambda file: file.keys.pop("llama.vocab_size")), ()),
        ("no tokenizer", no_tokenizer, ()),
        ("no bos", key_of("tokenizer.ggml.bos_token_id", U32, 2 ** 32 - 1), ()),
        ("epsilon in f64", key_of("llama.attention.layer_norm_rms_epsilon", F64, 1e-5), ()),
        ("tensors in another order", gguf(lambda file: file.tensors.reverse()), ()),
        ("one part of one", gguf(lambda file: [file.put("split.count", U16, 1), file.put("split.no", U16, 0)]), ()),
        ("a name without .gguf", rename_gguf("ggml-model-f32.bin"), (), at("ggml-model-f32.bin")),
        ("keys in another order", gguf(lambda file: setattr(file, "keys", dict(reversed(file.keys.items())))), ()),
        ("F16", lambda folder: folder.update({GGUF: tiny.Gguf("F16")}), ()),
    ]},
    {**TEXT, "group": "odd: tokenizers", "rows": [
        ("merges as lists", tokens(list_merges), ()),
        ("CR LF", crlf(TOKENIZER), ()),
        ("escapes for everything", whole(TOKENIZER, lambda raw: json.dumps(json.loads(raw)).encode()), ()),
        ("padding behind the embedding", tree(TOKENIZER, lambda top: top["added_tokens"].append(
            tiny.special(272, "[PAD]"))), ()),
        ("fewer tokens than rows", tree(TOKENIZER, lambda top: top["model"]["vocab"].pop("unused269")), ()),
        ("unknown members", tree(TOKENIZER, lambda top: top.update(note={"a": 1})), ()),
        ("LLaMA as Metaspace", tree(TOKENIZER, metaspace), (), {"base": "llama"}),
        ("LLaMA, merges as lists", tokens(list_merges), (), {"base": "llama"}),
        ("tokenizer.model", config("note", "1"), (), {"base": "spm", "like": "llama"}),
        ("tokenizer.model, unknown fields", part(SPM, lambda file: setattr(
            file, "tail", tiny.field(4, b"self test") + tiny.field(200, 7))), (), {"base": "spm", "like": "llama"}),
        ("GGUF's, one key more", key_of("note", U32, 1), (), {"base": "gguf"}),
    ]},
]
