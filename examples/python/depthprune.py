"""libdepthprune from Python: one file over ctypes, to copy into a project.

    import depthprune as dp
    with dp.Context() as context:
        model = dp.Model(context, "SmolLM2-135M-Instruct.Q4_1.gguf")
        calib = dp.Calibration.from_text(context, dp.Tokenizer(context, model.path), "text.txt")
        scores = dp.score(context, model, calib, criterion="ppl", progress=print)
        shorter = dp.prune(context, model, scores, blocks=6)
        shorter.save("shorter")

ctypes releases Python's lock while the library computes.  A failed call raises dp.Error.
"""
import ctypes as c
import ctypes.util
import os

OK, CANCELLED = 0, -7
F32, F16, BF16 = 0, 1, 30
HF, GGUF = 0, 1


class ErrorRecord(c.Structure):
    _fields_ = [("offset", c.c_int64), ("code", c.c_int32), ("system_error", c.c_int32), ("line", c.c_int32),
                ("column", c.c_int32), ("file", c.c_char * 512), ("item", c.c_char * 128),
                ("message", c.c_char * 320), ("reserved", c.c_ubyte * 32)]


class Progress(c.Structure):
    _fields_ = [("size", c.c_uint32), ("reserved", c.c_uint32), ("phase", c.c_char_p), ("done", c.c_uint64),
                ("total", c.c_uint64), ("elapsed", c.c_double), ("left", c.c_double)]


PROGRESS = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.POINTER(Progress))
LOG = c.CFUNCTYPE(None, c.c_void_p, c.c_int32, c.c_char_p)


class Monitor(c.Structure):
    _fields_ = [("size", c.c_uint32), ("interval_ms", c.c_uint32), ("cancel", c.POINTER(c.c_int32)),
                ("progress", PROGRESS), ("user", c.c_void_p)]


class ContextOptions(c.Structure):
    _fields_ = [("size", c.c_uint32), ("threads", c.c_int32), ("memory_limit", c.c_uint64), ("backend", c.c_char_p),
                ("gemm", c.c_char_p), ("kernels", c.c_char_p), ("plugin", c.c_char_p), ("allocator", c.c_void_p),
                ("log", LOG), ("log_user", c.c_void_p)]


class ModelInfo(c.Structure):
    _fields_ = [("size", c.c_uint32), ("format", c.c_int32), ("architecture", c.c_char_p), ("path", c.c_char_p),
                ("type", c.c_int32), ("blocks", c.c_int32), ("hidden_size", c.c_int32), ("heads", c.c_int32),
                ("kv_heads", c.c_int32), ("head_dim", c.c_int32), ("ffn_size", c.c_int32),
                ("vocab_size", c.c_int32), ("context", c.c_int32), ("tied_head", c.c_int32),
                ("norm_epsilon", c.c_double), ("rope_base", c.c_double), ("parameters", c.c_uint64),
                ("block_parameters", c.c_uint64), ("bytes", c.c_uint64)]


class CalibOptions(c.Structure):
    _fields_ = [("size", c.c_uint32), ("samples", c.c_int32), ("length", c.c_int32), ("rows", c.c_int32),
                ("seed", c.c_uint64), ("bos_each", c.c_int32), ("encode", c.c_uint32), ("row_bos", c.c_int32),
                ("reserved", c.c_int32)]


class ScorerOptions(c.Structure):
    _fields_ = [("size", c.c_uint32), ("norm_power", c.c_int32), ("criterion", c.c_char_p),
                ("weight_reduction", c.c_int32), ("block_reduction", c.c_int32), ("projections_only", c.c_int32),
                ("protect_first", c.c_int32), ("protect_last", c.c_int32), ("group_samples", c.c_int32),
                ("resume", c.c_int32), ("reserved", c.c_int32), ("journal", c.c_char_p)]


class ScoresInfo(c.Structure):
    _fields_ = [("size", c.c_uint32), ("blocks", c.c_int32), ("criterion", c.c_char_p),
                ("scores", c.POINTER(c.c_double)), ("order", c.POINTER(c.c_int32)), ("dense", c.c_double),
                ("protect_first", c.c_int32), ("protect_last", c.c_int32)]


class PrunerOptions(c.Structure):
    _fields_ = [("size", c.c_uint32), ("blocks", c.c_int32), ("ratio", c.c_double), ("parameters", c.c_uint64),
                ("protect_first", c.c_int32), ("protect_last", c.c_int32)]


class SaveOptions(c.Structure):
    _fields_ = [("size", c.c_uint32), ("format", c.c_int32), ("type", c.c_int32), ("overwrite", c.c_int32),
                ("max_shard_bytes", c.c_uint64)]


class EvaluatorOptions(c.Structure):
    _fields_ = [("size", c.c_uint32), ("window", c.c_int32), ("mode", c.c_int32), ("bos", c.c_int32),
                ("encode", c.c_uint32), ("batch", c.c_int32), ("limit", c.c_int64)]


class Perplexity(c.Structure):
    _fields_ = [("size", c.c_uint32), ("window", c.c_int32), ("mode", c.c_int32), ("bos", c.c_int32),
                ("windows", c.c_int64), ("tokens", c.c_int64), ("nll", c.c_double), ("perplexity", c.c_double),
                ("digest", c.c_char * 72)]


#: The header's name of every structure above; the tests compare sizes and offsets with the headers.
LAYOUTS = {"dp_error": ErrorRecord, "dp_progress": Progress, "dp_monitor": Monitor,
           "dp_context_options": ContextOptions, "dp_model_info": ModelInfo, "dp_calib_options": CalibOptions,
           "dp_scorer_options": ScorerOptions, "dp_scores_info": ScoresInfo, "dp_pruner_options": PrunerOptions,
           "dp_save_options": SaveOptions, "dp_evaluator_options": EvaluatorOptions, "dp_perplexity": Perplexity}


def _load():
    path = os.environ.get("DEPTHPRUNE_LIBRARY") or ctypes.util.find_library("depthprune") or "libdepthprune.so.0"
    library = c.CDLL(path)
    for name in ("dp_code_name", "dp_version_text", "dp_build_info"):
        getattr(library, name).restype = c.c_char_p
    for name in ("context", "tokenizer", "model", "calib", "scorer", "scores", "pruner", "plan", "evaluator"):
        free = getattr(library, "dp_%s_free" % name)
        free.argtypes, free.restype = [c.c_void_p], None
    for name in ("context", "model", "calib", "scorer", "pruner", "save", "evaluator"):
        init = getattr(library, "dp_%s_options_init" % name)
        init.argtypes, init.restype = [c.c_void_p, c.c_size_t], None
    return library


LIBRARY = _load()


class Error(Exception):
    """A failed call: code, file, item, line, offset and message of the library's error record."""

    def __init__(self, record):
        self.code = record.code
        self.name = LIBRARY.dp_code_name(record.code).decode()
        self.file, self.item = record.file.decode(), record.item.decode()
        self.line, self.offset = record.line, record.offset
        self.message = record.message.decode()
        super().__init__(": ".join(part for part in (self.file, self.item, self.message) if part))


def _call(function, *arguments):
    record = ErrorRecord()
    if getattr(LIBRARY, function)(*arguments, c.byref(record)) != OK:
        raise Error(record)


def _options(kind, noun, **values):
    options = kind()
    getattr(LIBRARY, "dp_%s_options_init" % noun)(c.byref(options), c.sizeof(options))
    for name, value in values.items():
        if name not in dict(kind._fields_):
            raise TypeError("dp_%s_options has no %r" % (noun, name))
        setattr(options, name, value.encode() if isinstance(value, str) else value)
    return options


def _monitor(progress):
    """progress(phase, done, total, seconds left) may return True to stop; None watches nothing."""
    if progress is None:
        return None

    def report(_, now):
        p = now.contents
        return 1 if progress(p.phase.decode(), p.done, p.total, p.left) else 0

    return Monitor(size=c.sizeof(Monitor), progress=PROGRESS(report))


class _Handle:
    pointer = None  # when making it has failed

    def __init__(self, noun, pointer):
        self._noun, self.pointer = noun, pointer

    def close(self):
        if self.pointer:
            getattr(LIBRARY, "dp_%s_free" % self._noun)(self.pointer)
            self.pointer = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        self.close()

    def _describe(self, kind):
        info = kind(size=c.sizeof(kind))
        _call("dp_%s_describe" % self._noun, self.pointer, c.byref(info))
        return info


def _new(noun, function, *arguments):
    out = c.c_void_p()
    _call(function, *arguments, c.byref(out))
    return _Handle(noun, out)


class Context(_Handle):
    """Keyword arguments are the fields of dp_context_options, such as threads=2 or backend="cpu"."""

    def __init__(self, **options):
        made = _new("context", "dp_context_new", c.byref(_options(ContextOptions, "context", **options)))
        super().__init__("context", made.pointer)
        made.pointer = None


class Model(_Handle):
    def __init__(self, context, path, pointer=None):
        if pointer is None:
            made = _new("model", "dp_model_open", context.pointer, os.fsencode(path), None, None)
            pointer, made.pointer = made.pointer, None
        super().__init__("model", pointer)
        self.path = path

    @property
    def info(self):
        return self._describe(ModelInfo)

    def save(self, path, progress=None, **options):
        monitor = _monitor(progress)
        _call("dp_model_save", self.pointer, os.fsencode(path), c.byref(_options(SaveOptions, "save", **options)),
              c.byref(monitor) if monitor else None, None)


class Tokenizer(_Handle):
    def __init__(self, context, path):
        made = _new("tokenizer", "dp_tokenizer_open", context.pointer, os.fsencode(path))
        super().__init__("tokenizer", made.pointer)
        made.pointer = None

    def encode(self, text, flags=1):
        data, needed = text.encode(), c.c_size_t()
        size = c.c_size_t(len(data))
        _call("dp_tokenizer_encode", self.pointer, data, size, c.c_uint32(flags), None, c.c_size_t(0),
              c.byref(needed))
        ids = (c.c_int32 * needed.value)()
        _call("dp_tokenizer_encode", self.pointer, data, size, c.c_uint32(flags), ids, needed, c.byref(needed))
        return list(ids)


class Calibration(_Handle):
    @classmethod
    def from_ids(cls, context, rows):
        flat = (c.c_int32 * (len(rows) * len(rows[0])))(*[i for row in rows for i in row])
        return cls._own(_new("calib", "dp_calib_from_ids", context.pointer, flat, len(rows), len(rows[0])))

    @classmethod
    def from_text(cls, context, tokenizer, path, **options):
        return cls._own(_new("calib", "dp_calib_open", context.pointer, tokenizer.pointer, os.fsencode(path),
                             c.byref(_options(CalibOptions, "calib", **options)), None))

    @classmethod
    def _own(cls, made):
        calib = cls("calib", made.pointer)
        made.pointer = None
        return calib


def score(context, model, calib=None, progress=None, **options):
    """Scores of every block; keyword arguments are the fields of dp_scorer_options."""
    monitor = _monitor(progress)
    scorer = _new("scorer", "dp_scorer_new", context.pointer, c.byref(_options(ScorerOptions, "scorer", **options)))
    return _new("scores", "dp_scorer_run", scorer.pointer, model.pointer, calib.pointer if calib else None,
                c.byref(monitor) if monitor else None)


def values(scores):
    info = scores._describe(ScoresInfo)
    return [info.scores[i] for i in range(info.blocks)]


def order(scores):
    info = scores._describe(ScoresInfo)
    return [info.order[i] for i in range(info.blocks)]


def prune(context, model, scores, **options):
    """A shorter model over the same weights; keyword arguments are the fields of dp_pruner_options."""
    pruner = _new("pruner", "dp_pruner_new", context.pointer, c.byref(_options(PrunerOptions, "pruner", **options)))
    plan = _new("plan", "dp_pruner_plan", pruner.pointer, model.pointer, scores.pointer)
    made = _new("model", "dp_pruner_run", pruner.pointer, model.pointer, plan.pointer)
    pointer, made.pointer = made.pointer, None
    return Model(context, model.path, pointer)


def perplexity(context, model, tokenizer, path, progress=None, **options):
    monitor, result = _monitor(progress), Perplexity(size=c.sizeof(Perplexity))
    evaluator = _new("evaluator", "dp_evaluator_new", context.pointer,
                     c.byref(_options(EvaluatorOptions, "evaluator", **options)))
    _call("dp_evaluator_perplexity", evaluator.pointer, model.pointer, tokenizer.pointer, os.fsencode(path),
          c.byref(monitor) if monitor else None, c.byref(result))
    return result


def perplexity_ids(context, model, ids, **options):
    result, flat = Perplexity(size=c.sizeof(Perplexity)), (c.c_int32 * len(ids))(*ids)
    evaluator = _new("evaluator", "dp_evaluator_new", context.pointer,
                     c.byref(_options(EvaluatorOptions, "evaluator", **options)))
    _call("dp_evaluator_perplexity_ids", evaluator.pointer, model.pointer, flat, c.c_size_t(len(ids)), None,
          c.byref(result))
    return result


def logits(context, model, ids, rows=None):
    """Logits after the last `rows` ids (default: all), as a flat ctypes array of rows * vocab_size floats."""
    rows = len(ids) if rows is None else rows
    flat, out = (c.c_int32 * len(ids))(*ids), (c.c_float * (rows * model.info.vocab_size))()
    evaluator = _new("evaluator", "dp_evaluator_new", context.pointer, None)
    _call("dp_evaluator_logits", evaluator.pointer, model.pointer, flat, c.c_size_t(len(ids)), c.c_size_t(rows),
          None, out)
    return out
