"""What test/golden/tokenizers.py needs: the library through ctypes, texts, vocabularies trained on the spot, and the code
points that the two sides class differently."""
import ctypes
import json
import os
import random
import shutil
import struct
import time

LIBRARY = os.environ.get("DEPTHPRUNE_LIBRARY", "lib/libdepthprune.so")
DATA = os.environ.get("DEPTHPRUNE_TEST_DATA", "../shared")
SPECIAL = 1  # DP_ENCODE_SPECIAL, DP_DECODE_SPECIAL
ODD = """ |  |\t|\n|\r\n|\r\n\r\n|▁|▁▁|<s>|</s>|<unk>|<0x0A>|<|im_start|>|[u]|<x>| <x>|n n|a|b|the|'s|'S|'LL|'ſ|1|23|12345|½|²|Ⅷ|٣
é|e\u0301|ß|漢|字|🦙|👨\u200d👩\u200d👧|\u200b|\ufeff|\u00a0|\u3000|\u2028|\u0085|\0|İ|क्|\ud7ff|\ue000|\U0010ffff|\x7f|.|!!|??|--|_
    |\u180e|\u1680|\u2009|ǅ|‿|€|"|.\n\n|<w>|the|[u|[U]|'ﬅ|'re|'Ve|'D|가|ᄀ|ᅡ|ᆨ|각|\u0323|\u0301|\u0344|Å|豈|ﷺ|ཱི|𝅘𝅥|<|endoftext|>
<|im_end|>|<0xE2>|\u2029|\v|\f|\x1c|\u200d|0|00|1234567|１２|๑๒|𝟘|①|x²|\\|`|~|\t\t|   |\n \n|\r""".replace("\n", "|", 2).split("|")
RANGES = [(0x20, 0x300), (0x300, 0x370), (0x300, 0x3000), (0x590, 0xe00), (0x1100, 0x1200), (0x4e00, 0x9fff), (0xac00, 0xd7a4),
          (0xf900, 0xffff), (0x10000, 0x20000), (0x1f300, 0x1f6ff), (0x20000, 0x110000), (9, 14), (0x2000, 0x2070)]
SPLITS = {
    "llama3": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
              r"\s+(?!\S)|\s+",
    "qwen2": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
             r"\s+(?!\S)|\s+"}


class Error(ctypes.Structure):
    _fields_ = [("offset", ctypes.c_int64), ("code", ctypes.c_int32), ("system", ctypes.c_int32),
                ("line", ctypes.c_int32), ("column", ctypes.c_int32), ("file", ctypes.c_char * 512),
                ("item", ctypes.c_char * 128), ("message", ctypes.c_char * 320), ("reserved", ctypes.c_ubyte * 32)]


class SaveOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("format", ctypes.c_int32), ("type", ctypes.c_int32),
                ("overwrite", ctypes.c_int32), ("max_shard_bytes", ctypes.c_uint64)]


library = context = None


def check(code, error):
    if code:
        raise RuntimeError(f"{error.file.decode()}: {error.message.decode()}")


class Tokenizer:
    def __init__(self, path):
        self.error, self.handle = Error(), ctypes.c_void_p()
        check(library.dp_tokenizer_open(context, path.encode(), ctypes.byref(self.handle), ctypes.byref(self.error)),
              self.error)

    def encode(self, text, flags):
        data = text if isinstance(text, bytes) else text.encode()
        needed, ids = ctypes.c_size_t(), (ctypes.c_int32 * (4 * len(data) + 16))()
        check(library.dp_tokenizer_encode(self.handle, data, ctypes.c_size_t(len(data)), flags, ids,
                                          ctypes.c_size_t(len(ids)), ctypes.byref(needed), ctypes.byref(self.error)),
              self.error)
        return ids[:needed.value]

    def decode(self, ids, flags):
        needed, text = ctypes.c_size_t(), ctypes.create_string_buffer(256 * len(ids) + 16)
        check(library.dp_tokenizer_decode(self.handle, (ctypes.c_int32 * max(1, len(ids)))(*ids),
                                          ctypes.c_size_t(len(ids)), flags, text, ctypes.c_size_t(len(text)),
                                          ctypes.byref(needed), ctypes.byref(self.error)), self.error)
        return text.raw[:needed.value].decode()

    def __del__(self):
        library.dp_tokenizer_free(self.handle)


def missing():
    """Open the library and a context; what is not there, or None."""
    global library, context
    try:
        import sentencepiece  # noqa: F401
        import tokenizers  # noqa: F401
        library, context = ctypes.CDLL(os.path.abspath(LIBRARY)), ctypes.c_void_p()
        corpus()
    except (ImportError, OSError) as reason:
        return str(reason)
    check(library.dp_context_new(None, ctypes.byref(context), None), Error())
    return None


def shared(name):
    with open(f"{DATA}/{name}/tokenizer.json") as file:
        return json.load(file)


def corpus():
    with open(f"{DATA}/data/wikitext2/wiki.test.raw") as file:
        return file.read()


def report(name, wrong, count):
    wrong = list(wrong)
    print(f"{'ok' if not wrong else 'WRONG':6} {name}: {len(wrong)} of {count} differ", flush=True)
    for case in wrong[:3]:
        print("      ", repr(case))
    return bool(wrong)


def random_text(rng, words):
    kind = rng.random()
    if kind < 0.35:
        return "".join(rng.choice(ODD) for _ in range(rng.randint(0, 12)))
    if kind < 0.6:
        start = rng.randrange(len(words))
        return words[start:start + rng.randint(1, 200)]
    if kind < 0.7:
        return "".join(rng.choice(" ab") for _ in range(rng.randint(0, 60)))
    if kind < 0.9:
        points = [rng.randrange(*rng.choice(RANGES)) for _ in range(rng.randint(1, 20))]
        return "".join(chr(point) if not 0xd800 <= point < 0xe000 else " " for point in points)
    if kind < 0.95:
        return "".join(rng.choice(ODD) + words[start:start + 5] for start in (rng.randrange(len(words)) for _ in range(8)))
    return rng.choice(ODD) * rng.randint(1, 40)


def random_texts(rng, count, apart):
    """`count` texts without code points of `apart`, the whole corpus last."""
    words, texts, again = corpus(), [], 0
    while len(texts) < count:
        text = random_text(rng, words)
        if apart.isdisjoint(text):
            texts.append(text)
        else:
            again += 1
    print(f"{count} texts and WikiText-2's test set; {again} texts with a code point of those above were drawn again", flush=True)
    return texts + [words]


def trained(kind):
    """A byte-level tokenizer.json with a real split pattern and 6000 tokens of WikiText."""
    from tokenizers import Regex, Tokenizer as Theirs, decoders, models, normalizers, pre_tokenizers, trainers
    theirs = Theirs(models.BPE())
    if kind == "gpt2":
        theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    else:
        theirs.pre_tokenizer = pre_tokenizers.Sequence([
            pre_tokenizers.Split(Regex(SPLITS[kind]), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    if kind == "qwen2":
        theirs.normalizer = normalizers.NFC()
    theirs.decoder = decoders.ByteLevel()
    with open(f"{DATA}/data/wikitext2/wiki.train.first1MB.raw", errors="ignore") as file:
        lines = file.read().replace("@-@", "-").splitlines(True)
    lines += [f"{n} {n * 7919} 'S 'll I'LL  \n\n{n}" for n in range(3000)] + ODD * 20
    theirs.train_from_iterator(lines, trainers.BpeTrainer(
        vocab_size=6000, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"]))
    return json.loads(theirs.to_str())


def plain_model(steps, **more):
    """Bytes, and 'a' joined with each byte that begins a character: whether 'a' stays with the next one can be seen."""
    from tokenizers import pre_tokenizers
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [["a", letter] for letter in letters if letter != "a"]
    vocab = {token: i for i, token in enumerate(letters + ["".join(merge) for merge in merges])}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    return {"version": "1.0", "added_tokens": [], "normalizer": None, "post_processor": None, "decoder": None,
            "pre_tokenizer": {"type": "Sequence", "pretokenizers": steps + [level]},
            "model": {"type": "BPE", "vocab": vocab, "merges": merges}, **more}


def class_files():
    """(name, tokenizer.json, text of a code point): ids differ where the two sides class a code point differently."""
    def split(pattern):
        return [{"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}]
    for name, pattern in (("\\p{L}", r"a\p{L}|[\s\S]"), ("\\p{N}", r"a\p{N}|[\s\S]"), ("\\s", r"a\s|[\s\S]")):
        yield name, plain_model(split(pattern)), "a{}"
    yield "Digits", plain_model([{"type": "Digits", "individual_digits": True}]), "a{}"
    word = {"id": len(plain_model([])["model"]["vocab"]), "content": "ww", "single_word": True, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    yield "single_word", plain_model([], added_tokens=[word]), " ww{}"
    yield "NFC", plain_model([], normalizer={"type": "NFC"}), " e{}\u0323\u0301"


def differing(ours, theirs, form, points):
    """Code points whose texts differ, found by halves."""
    text = "".join(form.format(chr(point)) for point in points)
    if ours.encode(text, 0) == theirs.encode(text).ids:
        return []
    if len(points) == 1:
        return points
    middle = len(points) // 2
    return differing(ours, theirs, form, points[:middle]) + differing(ours, theirs, form, points[middle:])


def as_ranges(points):
    found = []
    for point in points:
        if found and found[-1][1] == point - 1:
            found[-1][1] = point
        else:
            found.append([point, point])
    return " ".join(f"{first:X}" if first == last else f"{first:X}-{last:X}" for first, last in found)


def differences(folder):
    """Print, and give as characters, every code point that the two sides class differently."""
    from tokenizers import Tokenizer as Theirs
    points, apart = [point for point in range(0x110000) if not 0xd800 <= point < 0xe000], set()
    for name, content, form in class_files():
        path = folder + "/tokenizer.json"
        with open(path, "w") as file:
            json.dump(content, file)
        ours, theirs, found = Tokenizer(path), Theirs.from_file(path), []
        for start in range(0, len(points), 1024):
            found += differing(ours, theirs, form, points[start:start + 1024])
        print(f"{name}: {len(found)} code points: {as_ranges(found)}", flush=True)
        apart.update(map(chr, found))
    return apart


def saved_both_ways(folder, content):
    """A model of one block with the tokenizer as a directory, as GGUF, and as a directory again."""
    paths = [folder + "/" + name for name in ("here", "there.gguf", "back")]
    for path in paths[::2]:
        shutil.rmtree(path, ignore_errors=True)
    os.mkdir(paths[0])
    rows = 64 * (1 + max([*content["model"]["vocab"].values(), *(t["id"] for t in content["added_tokens"])]) // 64)
    write_model(paths[0], rows)
    with open(paths[0] + "/tokenizer.json", "w") as file:
        json.dump(content, file)
    for source, target, kind in ((paths[0], paths[1], 1), (paths[1], paths[2], 0)):
        save(source, target, kind)
    return paths


def write_model(path, rows):
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4, "intermediate_size": 4,
              "num_attention_heads": 1, "num_key_value_heads": 1, "num_hidden_layers": 1, "vocab_size": rows,
              "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": True,
              "hidden_act": "silu", "torch_dtype": "float32"}
    block = {"input_layernorm": [4], "post_attention_layernorm": [4], **{f"self_attn.{p}_proj": [4, 4] for p in "qkvo"},
             **{f"mlp.{p}_proj": [4, 4] for p in ("gate", "up", "down")}}
    shapes = {"model.embed_tokens.weight": [rows, 4], "model.norm.weight": [4],
              **{f"model.layers.0.{name}.weight": shape for name, shape in block.items()}}
    header, at = {}, 0
    for name, shape in shapes.items():
        size = 4 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    with open(path + "/config.json", "w") as file:
        json.dump(config, file)
    with open(path + "/model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + bytes(at))


def save(source, target, kind):
    model, error, options = ctypes.c_void_p(), Error(), SaveOptions()
    check(library.dp_model_open(context, source.encode(), None, None, ctypes.byref(model), ctypes.byref(error)), error)
    library.dp_save_options_init(ctypes.byref(options), ctypes.c_size_t(ctypes.sizeof(options)))
    options.format, options.overwrite = kind, 1
    check(library.dp_model_save(model, target.encode(), ctypes.byref(options), None, None, ctypes.byref(error)), error)
    library.dp_model_free(model)


def print_speed(folder):
    """WikiText-2's test set, each kind of file; processor time of one thread."""
    words = corpus()
    paths = [f"{DATA}/golden/smollm2-135m", f"{DATA}/data/tokenizers/llama_spm/tokenizer.model",
             f"{DATA}/data/tokenizers/TinyLlama-1.1B-Chat-v1.0"]
    paths += [f"{DATA}/data/tokenizers/gguf_vocab/ggml-vocab-{name}.gguf" for name in ("gpt-2", "llama-spm")]
    for kind in ("gpt2", "llama3", "qwen2"):
        paths.append(f"{folder}/{kind}.json")
        with open(paths[-1], "w") as file:
            json.dump(trained(kind), file)
    for path in paths:
        ours = Tokenizer(path)
        began = time.thread_time()
        ours.encode(words, 0)
        print(f"{time.thread_time() - began:.2f} s for WikiText-2's test set: {os.path.relpath(path, DATA if DATA in path else folder)}")
