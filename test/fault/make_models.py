"""The tiny models of test/fault, in the folder given: pieces (SentencePiece's tokenizer.model, a folder of chat
templates), pieces-json (a tokenizer alone), bytes (byte-level tokenizer.json), and a text to calibrate on as corpus.txt and corpus.jsonl."""
import json, os, random, struct, sys

HIDDEN, FFN, HEADS, KV, WIDTH, BLOCKS, VOCAB, CONTEXT = 16, 24, 2, 1, 8, 4, 288, 64
WORDS = ["the", "tea", "then", "at", "heat", "eats", "ants", "sat", "that", "hat", "as", "neat"]


def weights():
    draw = random.Random(7)
    shapes = {"model.embed_tokens": [VOCAB, HIDDEN], "model.norm": [HIDDEN], "lm_head": [VOCAB, HIDDEN]}
    for block in range(BLOCKS):
        at = "model.layers.%d." % block
        shapes.update({
            at + "input_layernorm": [HIDDEN],
            at + "self_attn.q_proj": [HEADS * WIDTH, HIDDEN],
            at + "self_attn.k_proj": [KV * WIDTH, HIDDEN],
            at + "self_attn.v_proj": [KV * WIDTH, HIDDEN],
            at + "self_attn.o_proj": [HIDDEN, HEADS * WIDTH],
            at + "post_attention_layernorm": [HIDDEN],
            at + "mlp.gate_proj": [FFN, HIDDEN],
            at + "mlp.up_proj": [FFN, HIDDEN],
            at + "mlp.down_proj": [HIDDEN, FFN]})
    header, data = {}, b""
    for name, shape in shapes.items():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        numbers = struct.pack("<%df" % count, *(draw.gauss(1 if len(shape) == 1 else 0, 0.2) for _ in range(count)))
        header[name + ".weight"] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(numbers)]}
        data += numbers
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def config():
    return {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": HIDDEN,
            "intermediate_size": FFN, "num_hidden_layers": BLOCKS, "num_attention_heads": HEADS,
            "num_key_value_heads": KV, "head_dim": WIDTH, "vocab_size": VOCAB, "max_position_embeddings": CONTEXT,
            "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "tie_word_embeddings": False, "torch_dtype": "float32",
            "bos_token_id": 1, "eos_token_id": 2}


def varint(number):
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def pieces():
    known = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3)]
    known += [("<0x%02X>" % byte, 0.0, 6) for byte in range(256)]
    known += [(piece, -float(at), 1) for at, piece in enumerate(
        ["\u2581", "t", "h", "e", "a", "s", "n", "th", "he", "at", "the", "\u2581t", "\u2581the", "ea", "an", "as"])]
    out = b"".join(field(1, field(1, text.encode()) + field(2, score) + field(3, kind)) for text, score, kind in known)
    return out + field(2, field(3, 2) + field(35, 1)) + field(3, field(1, b"identity") + field(3, 1) + field(4, 0))


def byte_letters():
    plain = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    spare = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(spare)) for byte in range(256)]


def byte_level():
    space = byte_letters()[32]
    merges = [("t", "h"), ("th", "e"), ("a", "t"), (space, "t"), (space + "t", "h"), ("e", "a"), ("a", "s")]
    tokens = ["<unk>", "<s>", "</s>"] + byte_letters() + [a + b for a, b in merges]
    special = [{"id": i, "content": tokens[i], "single_word": False, "lstrip": False, "rstrip": False,
                "normalized": False, "special": True} for i in range(3)]
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": special, "normalizer": None,
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
            "post_processor": None,
            "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                      "vocab": {token: i for i, token in enumerate(tokens)}, "merges": ["%s %s" % m for m in merges]}}


def json_pieces():
    tokens = ["<unk>", "<s>", "</s>"] + ["<0x%02X>" % byte for byte in range(256)]
    tokens += ["\u2581", "t", "h", "e", "a", "s", "n", "th", "he", "at", "the", "\u2581t", "\u2581the", "ea", "an", "as"]
    merges = ["t h", "h e", "a t", "th e", "\u2581 t", "\u2581 the", "e a", "a n", "a s"]
    special = [{"id": i, "content": tokens[i], "single_word": False, "lstrip": False, "rstrip": False,
                "normalized": False, "special": True} for i in range(3)]
    normalizer = [{"type": "Prepend", "prepend": "\u2581"},
                  {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]
    decoder = [{"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"},
               {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": special,
            "normalizer": {"type": "Sequence", "normalizers": normalizer}, "pre_tokenizer": None,
            "post_processor": None, "decoder": {"type": "Sequence", "decoders": decoder},
            "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True,
                      "vocab": {token: i for i, token in enumerate(tokens)}, "merges": merges}}


def put(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else json.dumps(content).encode())


def main(folder):
    for name in ("pieces", "bytes"):
        put("%s/%s/config.json" % (folder, name), config())
        put("%s/%s/model.safetensors" % (folder, name), weights())
        put("%s/%s/generation_config.json" % (folder, name), {"bos_token_id": 1})
    put(folder + "/pieces/tokenizer.model", pieces())
    put(folder + "/pieces/tokenizer_config.json", {"add_bos_token": True, "tokenizer_class": "LlamaTokenizer"})
    put(folder + "/pieces/additional_chat_templates/tools.jinja", b"{{ messages }}")
    put(folder + "/pieces-json/tokenizer.json", json_pieces())
    put(folder + "/bytes/tokenizer.json", byte_level())
    put(folder + "/bytes/tokenizer_config.json", {"add_bos_token": False, "bos_token": "<s>", "eos_token": "</s>"})
    draw = random.Random(5)
    lines = [" ".join(draw.choice(WORDS) for _ in range(30)) for _ in range(24)]
    put(folder + "/corpus.txt", "\n\n".join(lines).encode())
    put(folder + "/corpus.jsonl", "".join(json.dumps({"text": line}) + "\n" for line in lines).encode())


main(sys.argv[1])
