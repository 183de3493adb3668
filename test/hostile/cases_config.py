"""config.json: syntax, sizes, and what it says of the model's mathematics."""
from changes import *  # noqa: F403

FILE = {"base": "hf", "file": "config.json"}
SIZES = ["hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size"]
VALUES = [("missing", None), ("0", "0"), ("negative", "-32"), ("string", '"32"'), ("null", "null"),
 ("list", "[32]"),
          ("float", "32.0"), ("true", "true"), ("2^31", str(2 ** 31)), ("2^32 + the right one", None),
          ("2^63", str(2 ** 63)), ("2^64 + the right one", None), ("exponent", "3.2e1"), ("an object", "{}")]


def sizes(key):
    from bases import BASES
    right = int(BASES["hf"][CONFIG].members[key])
    rows = []
    for name, text in VALUES:
        if "the right one" in name:
            text = str((2 ** 64 if "64" in name else 2 ** 32) + right)
        beyond = text is not None and text.lstrip("-").isdigit() and int(text) >= 2 ** 63
        rows.append((name, config(key, text), "config.json:" if beyond else key))
    return {**FILE, "group": "config.json: " + key, "rows": rows}


def text(edit):
    return part(CONFIG, lambda file: file.edits.append(edit))


def scaling(inner):
    return config("rope_scaling", inner)


def several(**texts):
    def edit(file):
        file.members.update(texts)
    return part(CONFIG, edit)


GROUPS = [sizes(key) for key in SIZES] + [
    {**FILE, "group": "config.json: syntax", "rows": [
        ("empty", replace(CONFIG, b""), ":1:"),
        ("blank", replace(CONFIG, b" \n\n"), ":3:"),
        ("not JSON", replace(CONFIG, b"hidden_size: 32\n"), ":1:"),
        ("cut", cut(CONFIG, 0.5), "config.json:"),
        ("cut by the last brace", whole(CONFIG, lambda raw: raw.rstrip()[:-1]), "config.json:"),
        ("trailing comma", whole(CONFIG, lambda raw: raw.rstrip()[:-1] + b",}"), "config.json:"),
        ("// comment", whole(CONFIG, lambda raw: b"// a model\n" + raw), ":1:"),
        ("# comment", whole(CONFIG, lambda raw: raw.replace(b"{\n", b"{\n# a model\n", 1)), ":2:"),
        ("single quotes", whole(CONFIG, lambda raw: raw.replace(b'"', b"'")), ":2:"),
        ("names without quotes", swap(CONFIG, '"hidden_size"', "hidden_size"), "config.json:"),
        ("a comma lacks", swap(CONFIG, '"hidden_size": 32,', '"hidden_size": 32'), "config.json:"),
        ("a colon lacks", swap(CONFIG, '"hidden_size": 32,', '"hidden_size" 32,'), "config.json:"),
        ("a second object", grow(CONFIG, b"{}"), "config.json:"),
        ("text follows", grow(CONFIG, b"end"), "config.json:"),
        ("True of Python", config("tie_word_embeddings", "False"), "config.json:"),
    ]},
    {**FILE, "group": "config.json: encoding", "rows": [
        ("byte order mark", text(lambda raw: b"\xef\xbb\xbf" + raw), ":1:1"),
        ("UTF-16 with a mark", text(lambda raw: raw.decode().encode("utf-16")), ":1:"),
        ("UTF-16 without", text(lambda raw: raw.decode().encode("utf-16-be")), ":1:"),
        ("UTF-32", text(lambda raw: raw.decode().encode("utf-32")), ":1:"),
        ("bad UTF-8", text(
            lambda raw: raw.replace(b"silu", b"s\xfflu")), "config.json:"),
        ("Latin-1", text(lambda raw: raw.replace(b"silu", b"s\xeclu")), "config.json:"),
        ("overlong", text(lambda raw: raw.replace(b"silu", b"\xc0\xaf")), "config.json:"),
        ("lone surrogate", text(lambda raw: raw.replace(b"silu", b"\\udc00")), "config.json:"),
        ("NUL inside", text(lambda raw: raw.replace(b"silu", b"si\0lu")), "config.json:"),
        ("NUL spelled", text(lambda raw: raw.replace(b"silu", b"silu\\u0000")), "config.json:"),
        ("NUL behind", grow(CONFIG, b"\0"), "config.json:"),
        ("bare control byte", text(lambda raw: raw.replace(b"silu", b"si\tlu")), "config.json:"),
        ("bad escape", text(lambda raw: raw.replace(b"silu", b"\\x41")), "config.json:"),
        ("all zeros", text(lambda raw: b"\0" * len(raw)), ":1:"),
        ("gzip", replace(CONFIG, b"\x1f\x8b\x08\0" + b"\x55" * 60), ":1:"),
    ]},
    {**FILE, "group": "config.json: structure", "rows": [
        ("array", text(lambda raw: b"[" + raw + b"]"), "not an object"),
        ("string", replace(CONFIG, b'"llama"'), ":1:"),
        ("number", replace(CONFIG, b"32"), ":1:"),
        ("null", replace(CONFIG, b"null"), ":1:"),
        ("an empty object", replace(CONFIG, b"{}"), "model_type"),
        ("hidden_size twice", swap(CONFIG, '"hidden_size": 32,', '"hidden_size": 32, "hidden_size": 64,'),
         ("duplicate", "hidden_size")),
        ("the same twice", swap(CONFIG, '"hidden_size": 32,', '"hidden_size": 32, "hidden_size": 32,'),
         ("duplicate", "hidden_size")),
        ("50 000 times one key", text(lambda raw: b"{" + b'"a": 1,' * 50000 + raw[1:]), ("duplicate", "a")),
        ("100 000 nested arrays", config("extra", "[" * 100000 + "]" * 100000), "nests"),
        ("100 000 nested objects", config("extra", '{"a":' * 100000 + "1" + "}" * 100000), "nests"),
        ("65 nested arrays", config("extra", "[" * 65 + "]" * 65), "nests"),
        ("5 MB", config("extra", '"%s"' % ("x" * (5 << 20))), "at most"),
        ("100 000 digits", config("extra", "1" * 100000), "config.json:"),
        ("a number with two points", config("rope_theta", "1.0.0"), "config.json:"),
        ("a leading zero", config("num_hidden_layers", "03"), "config.json:"),
    ]},
    {**FILE, "group": "config.json: not a plain file", "rows": [
        ("missing", remove(CONFIG), "config.json", {"file": "model"}),
        ("directory", special(CONFIG, "directory"), "directory"),
        ("FIFO", special(CONFIG, "fifo"), "regular"),
        ("loop of links", special(CONFIG, "link", "config.json"), "Too many levels"),
        ("dangling link", special(CONFIG, "link", "gone"), "No such file"),
        ("/dev/zero", special(CONFIG, "link", "/dev/zero"), "regular"),
        ("/proc/self/mem", special(CONFIG, "link", "/proc/self/mem"), "config.json"),
        ("LFS pointer", replace(CONFIG, b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 600\n"),
         ":1:"),
        ("HTML page", replace(CONFIG, b"<!DOCTYPE html>\n<html></html>\n"), ":1:"),
    ]},
    {**FILE, "group": "config.json: heads", "rows": [
        ("3 heads", config("num_attention_heads", "3"), "num_", {}),
        ("32 heads of 1", several(num_attention_heads="32", num_key_value_heads="32"), "head"),
        ("64 heads", several(num_attention_heads="64", num_key_value_heads="64"), "num_attention_heads"),
        ("8 heads", config("num_attention_heads", "8"), "k_proj", {"file": "model.safetensors"}),
        ("2^16 + 1 heads", config("num_attention_heads", "65537"), "num_attention_heads"),
        ("kv 0", config("num_key_value_heads", "0"), "num_key_value_heads"),
        ("kv -1", config("num_key_value_heads", "-1"), "num_key_value_heads"),
        ("kv 3", config("num_key_value_heads", "3"), "num_key_value_heads"),
        ("kv 4", config("num_key_value_heads", "4"), "k_proj", {"file": "model.safetensors"}),
        ("kv missing", config("num_key_value_heads", None), "k_proj", {"file": "model.safetensors"}),
        ("kv float", config("num_key_value_heads", "2.0"), "num_key_value_heads"),
        ("kv 2^32 + 2", config("num_key_value_heads", str(2 ** 32 + 2)), "num_key_value_heads"),
        ("kv string", config("num_key_value_heads", '"2"'), "num_key_value_heads"),
        ("kv 2^64 + 2", config("num_key_value_heads", str(2 ** 64 + 2)), "config.json:"),
        ("more kv than heads", config("num_key_value_heads", "8"), "num_key_value_heads"),
    ]},
    {**FILE, "group": "config.json: head_dim", "rows": [
        ("0", config("head_dim", "0"), "head_dim"),
        ("negative", config("head_dim", "-8"), "head_dim"),
        ("odd", config("head_dim", "7"), "head_dim"),
        ("2^31", config("head_dim", str(2 ** 31)), "head_dim"),
        ("2^32 + 8", config("head_dim", str(2 ** 32 + 8)), "head_dim"),
        ("string", config("head_dim", '"8"'), "head_dim"),
        ("float", config("head_dim", "8.0"), "head_dim"),
        ("16", config("head_dim", "16"), "q_proj", {"file": "model.safetensors"}),
    ]},
    {**FILE, "group": "config.json: rms_norm_eps and rope_theta", "rows": [
        ("eps NaN", config("rms_norm_eps", "NaN"), "config.json:"),
        ("eps 0", config("rms_norm_eps", "0"), "rms_norm_eps"),
        ("eps negative", config("rms_norm_eps", "-1e-5"), "rms_norm_eps"),
        ("eps string", config("rms_norm_eps", '"1e-5"'), "rms_norm_eps"),
        ("eps 1e999", config("rms_norm_eps", "1e999"), "config.json:"),
        ("eps list", config("rms_norm_eps", "[1e-5]"), "rms_norm_eps"),
        ("eps true", config("rms_norm_eps", "true"), "rms_norm_eps"),
        ("theta NaN", config("rope_theta", "NaN"), "config.json:"),
        ("theta 0", config("rope_theta", "0"), "rope_theta"),
        ("theta negative", config("rope_theta", "-10000.0"), "rope_theta"),
        ("theta string", config("rope_theta", '"10000"'), "rope_theta"),
        ("theta 1e999", config("rope_theta", "1e999"), "config.json:"),
        ("theta Infinity", config("rope_theta", "Infinity"), "config.json:"),
        ("theta minus Infinity", config("rope_theta", "-Infinity"), "config.json:"),
        ("theta with a comma", config("rope_theta", "10000,0"), "config.json:"),
    ]},
    {**FILE, "group": "config.json: context", "rows": [
        ("0", config("max_position_embeddings", "0"), "max_position_embeddings"),
        ("negative", config("max_position_embeddings", "-1"), "max_position_embeddings"),
        ("string", config("max_position_embeddings", '"256"'), "max_position_embeddings"),
        ("float", config("max_position_embeddings", "256.5"), "max_position_embeddings"),
        ("2^31", config("max_position_embeddings", str(2 ** 31)), "max_position_embeddings"),
        ("2^63", config("max_position_embeddings", str(2 ** 63)), "config.json:"),
    ]},
    {**FILE, "group": "config.json: rope_scaling", "rows": [
        ("a string", scaling('"linear"'), "rope_scaling"),
        ("a list", scaling('["linear", 2.0]'), "rope_scaling"),
        ("no kind", scaling('{"factor": 2.0}'), "rope_scaling"),
        ("unknown kind", scaling('{"rope_type": "spiral", "factor": 2.0}'), ("rope", "spiral")),
        ("yarn", scaling('{"rope_type": "yarn", "factor": 2.0}'), ("rope", "yarn")),
        ("dynamic", scaling('{"type": "dynamic", "factor": 2.0}'), ("rope", "dynamic")),
        ("kind is a number", scaling('{"rope_type": 3, "factor": 2.0}'), "rope_type"),
        ("linear without factor", scaling('{"type": "linear"}'), "factor"),
        ("factor 0", scaling('{"type": "linear", "factor": 0.0}'), "factor"),
        ("factor negative", scaling('{"type": "linear", "factor": -2.0}'), "factor"),
        ("factor a string", scaling('{"type": "linear", "factor": "2"}'), "factor"),
        ("factor 1e999", scaling('{"type": "linear", "factor": 1e999}'), "config.json:"),
        ("llama3 without bands", scaling('{"rope_type": "llama3", "factor": 8.0}'), "low_freq_factor"),
        ("llama3 with equal bands", scaling('{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 4.0,'
                                            '"high_freq_factor": 4.0, "original_max_position_embeddings": 8192}'),
         "high_freq_factor"),
        ("llama3 with no original context", scaling('{"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,'
                                                    '"high_freq_factor": 4.0}'),
                                                     "original_max_position_embeddings"),
    ]},
    {**FILE, "group": "config.json: family", "rows": [
        ("GPT-2", several(architectures='["GPT2LMHeadModel"]', model_type='"gpt2"'), "GPT2LMHeadModel"),
        ("class of another family", config("architectures", '["GPTNeoXForCausalLM"]'), "GPTNeoXForCausalLM"),
        ("type of another family", config("model_type", '"mamba"'), "mamba"),
        ("a sequence classifier", config("architectures", '["LlamaForSequenceClassification"]'),
         "LlamaForSequenceClassification"),
        ("class is a number", config("architectures", "[1]"), "architectures"),
        ("classes are none", config("architectures", "[]"), "architectures"),
        ("class is a string", config("architectures", '"LlamaForCausalLM"'), "architectures"),
        ("type is a number", config("model_type", "7"), "model_type"),
        ("neither", part(CONFIG, lambda f: [f.members.pop(k) for k in ("architectures", "model_type")]),
         "model_type"),
        ("class with an escape sequence", config("architectures", '["\\u001b[2J"]'), "architectures"),
        ("class of 100 KB", config("architectures", '["%s"]' % ("L" * 102400)), "architectures"),
        ("another activation", config("hidden_act", '"gelu"'), "hidden_act"),
        ("activation is a number", config("hidden_act", "1"), "hidden_act"),
    ]},
    {**FILE, "group": "config.json: what is not computed", "rows": [
        ("quantized, GPTQ", config("quantization_config", '{"quant_method": "gptq", "bits": 4}'),
         "quantization_config"),
        ("quantized, bitsandbytes", config("quantization_config", '{"load_in_8bit": true}'), "quantization_config"),
        ("attention_bias is a string", config("attention_bias", '"no"'), "attention_bias"),
        ("mlp_bias is a number", config("mlp_bias", "0"), "mlp_bias"),
        ("tie_word_embeddings is a number", config("tie_word_embeddings", "0"), "tie_word_embeddings"),
        ("bias of q without tensors", config("attention_bias", "true"), "bias",
         {"file": ("config.json", "model.safetensors")}),
        ("bias of the MLP without tensors", config("mlp_bias", "true"), "bias",
         {"file": ("config.json", "model.safetensors")}),
        ("a quarter of the head turns", config("partial_rotary_factor", "0.25"), "partial_rotary_factor"),
    ]},
    {**FILE, "group": "config.json: token ids", "rows": [
        ("bos is the vocabulary's size", config("bos_token_id", "272"), "bos_token_id"),
        ("eos is the vocabulary's size", config("eos_token_id", "272"), "eos_token_id"),
        ("pad is the vocabulary's size", config("pad_token_id", "272"), "pad_token_id"),
        ("bos -2", config("bos_token_id", "-2"), "bos_token_id"),
        ("bos 2^32 + 1", config("bos_token_id", str(2 ** 32 + 1)), "bos_token_id"),
        ("eos a string", config("eos_token_id", '"2"'), "eos_token_id"),
        ("eos list with a bad first", config("eos_token_id", "[5000, 2]"), "eos_token_id"),
        ("eos list with a bad second", config("eos_token_id", "[2, 5000]"), "eos_token_id"),
        ("eos list of strings", config("eos_token_id", '["2"]'), "eos_token_id"),
        ("bos a float", config("bos_token_id", "1.0"), "bos_token_id"),
        ("bos 2^63", config("bos_token_id", str(2 ** 63)), "config.json:"),
    ]},
    {**FILE, "group": "config.json: numbers that contradict the weights", "rows": [
        ("a block more", config("num_hidden_layers", "4"), "layers.3", {"file": "model.safetensors"}),
        ("a block less", config("num_hidden_layers", "2"), "layers.2", {"file": "model.safetensors"}),
        ("wider", several(hidden_size="64", head_dim="8"), "embed_tokens", {"file": "model.safetensors"}),
        ("narrower", several(hidden_size="16", head_dim="8"), "embed_tokens", {"file": "model.safetensors"}),
        ("another MLP", config("intermediate_size", "96"), "gate_proj", {"file": "model.safetensors"}),
        ("another vocabulary", config("vocab_size", "300"), "embed_tokens", {"file": "model.safetensors"}),
        ("tied, but the head differs", config("tie_word_embeddings", "true"), "lm_head.weight",
         {"file": "model.safetensors"}),
        ("all at their most", several(hidden_size=str(2 ** 20), num_attention_heads=str(2 ** 16), head_dim=str(2 ** 20),
                                      intermediate_size=str(2 ** 24), vocab_size=str(2 ** 24),
                                      num_key_value_heads=str(2 ** 16), num_hidden_layers=str(2 ** 16)),
         "num_attention_heads"),
        ("all 2^31 - 1", several(**{key: str(2 ** 31 - 1) for key in SIZES}), "2147483647"),
        ("65 536 blocks", config("num_hidden_layers", "65536"), "layers.3", {"file": "model.safetensors"}),
    ]},
]
