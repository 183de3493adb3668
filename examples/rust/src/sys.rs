//! The C interface of libdepthprune.  Written by generate.py from the headers, which say what everything means:
//! do not edit, run it again.
#![allow(non_camel_case_types, clippy::all)]
use std::os::raw::{c_char, c_int, c_void};

pub const DP_VERSION_MAJOR: i32 = 0;
pub const DP_VERSION_MINOR: i32 = 1;
pub const DP_VERSION_PATCH: i32 = 0;
pub const DP_ROWS_AUTO: i32 = 0;
pub const DP_ROWS_PARAGRAPH: i32 = 1;
pub const DP_ROWS_LINE: i32 = 2;
pub const DP_ROWS_STREAM: i32 = 3;
pub const DP_ROWS_JSONL: i32 = 4;
pub const DP_LOG_ERROR: i32 = 1;
pub const DP_LOG_WARNING: i32 = 2;
pub const DP_LOG_NOTE: i32 = 3;
pub const DP_LOG_DETAIL: i32 = 4;
pub const DP_PPL_MODE_A: i32 = 0;
pub const DP_PPL_MODE_B: i32 = 1;
pub const DP_LOAD_MAP: i32 = 0;
pub const DP_LOAD_READ: i32 = 1;
pub const DP_LOAD_SHAPES: i32 = 2;
pub const DP_FORMAT_HF: i32 = 0;
pub const DP_FORMAT_GGUF: i32 = 1;
pub const DP_REDUCE_SUM: i32 = 0;
pub const DP_REDUCE_MEAN: i32 = 1;
pub const DP_REDUCE_MAX: i32 = 2;
pub const DP_REDUCE_PROD: i32 = 3;
pub const DP_BACKEND_ABI: i32 = 1;
pub const DP_GEMM_AUTO: i32 = 0;
pub const DP_GEMM_NATIVE: i32 = 1;
pub const DP_GEMM_OPENBLAS: i32 = 2;
pub const DP_KERNELS_AUTO: i32 = 0;
pub const DP_KERNELS_PORTABLE: i32 = 1;
pub const DP_KERNELS_AVX2: i32 = 2;
pub const DP_KERNELS_AVX512: i32 = 3;
pub const DP_BACKEND_HOST_MEMORY: i32 = 1;
pub const DP_BACKEND_TRAINS: i32 = 2;
pub const DP_ROPE_HALF: i32 = 0;
pub const DP_ROPE_INTERLEAVED: i32 = 1;
pub const DP_GATE_SILU: i32 = 0;
pub const DP_GATE_GELU_TANH: i32 = 1;
pub const DP_IGNORE: i32 = -100;
pub const DP_REDUCTION_SUM: i32 = 0;
pub const DP_REDUCTION_ABS: i32 = 1;
pub const DP_REDUCTION_SQUARE: i32 = 2;
pub const DP_REDUCTION_MAX: i32 = 3;
pub const DP_REDUCTION_DOT: i32 = 4;
pub const DP_REDUCTION_ABSDOT: i32 = 5;
pub const DP_ENCODE_SPECIAL: i32 = 1;
pub const DP_ENCODE_BOS: i32 = 2;
pub const DP_DECODE_SPECIAL: i32 = 1;
pub const DP_OK: i32 = 0;
pub const DP_E_ARGUMENT: i32 = -1;
pub const DP_E_MEMORY: i32 = -2;
pub const DP_E_IO: i32 = -3;
pub const DP_E_FORMAT: i32 = -4;
pub const DP_E_UNSUPPORTED: i32 = -5;
pub const DP_E_NUMERIC: i32 = -6;
pub const DP_E_CANCELLED: i32 = -7;
pub const DP_E_BACKEND: i32 = -8;
pub const DP_E_VERSION: i32 = -9;
pub const DP_E_STATE: i32 = -10;
pub const DP_E_INTERNAL: i32 = -11;
pub const DP_F32: i32 = 0;
pub const DP_F16: i32 = 1;
pub const DP_Q4_0: i32 = 2;
pub const DP_Q4_1: i32 = 3;
pub const DP_Q5_0: i32 = 6;
pub const DP_Q5_1: i32 = 7;
pub const DP_Q8_0: i32 = 8;
pub const DP_Q2_K: i32 = 10;
pub const DP_Q3_K: i32 = 11;
pub const DP_Q4_K: i32 = 12;
pub const DP_Q5_K: i32 = 13;
pub const DP_Q6_K: i32 = 14;
pub const DP_I32: i32 = 26;
pub const DP_F64: i32 = 28;
pub const DP_BF16: i32 = 30;

#[repr(C)]
pub struct dp_calib {
    _opaque: [u8; 0],
    _not_shared: std::marker::PhantomData<*mut u8>,
}

#[repr(C)]
pub struct dp_context {
    _opaque: [u8; 0],
    _not_shared: std::marker::PhantomData<*mut u8>,
}

#[repr(C)]
pub struct dp_evaluator {
    _opaque: [u8; 0],
    _not_shared: std::marker::PhantomData<*mut u8>,
}

#[repr(C)]
pub struct dp_model {
    _opaque: [u8; 0],
    _not_shared: std::marker::PhantomData<*mut u8>,
}

#[repr(C)]
pub struct dp_model_builder {
    _opaque: [u8; 0],
    _not_shared: std::marker::PhantomData<*mut u8>,
}

#[repr(C)]
pub struct dp_pruner {
    _opaque: [u8; 0],
    _not_shared: std::marker::PhantomData<*mut u8>,
}

#[repr(C)]
pub struct dp_plan {
    _opaque: [u8; 0],
    _not_shared: std::marker::PhantomData<*mut u8>,
}

#[repr(C)]
pub struct dp_scorer {
    _opaque: [u8; 0],
    _not_shared: std::marker::PhantomData<*mut u8>,
}

#[repr(C)]
pub struct dp_scores {
    _opaque: [u8; 0],
    _not_shared: std::marker::PhantomData<*mut u8>,
}

#[repr(C)]
pub struct dp_stream {
    _opaque: [u8; 0],
    _not_shared: std::marker::PhantomData<*mut u8>,
}

#[repr(C)]
pub struct dp_event {
    _opaque: [u8; 0],
    _not_shared: std::marker::PhantomData<*mut u8>,
}

#[repr(C)]
pub struct dp_graph {
    _opaque: [u8; 0],
    _not_shared: std::marker::PhantomData<*mut u8>,
}

#[repr(C)]
pub struct dp_comm {
    _opaque: [u8; 0],
    _not_shared: std::marker::PhantomData<*mut u8>,
}

#[repr(C)]
pub struct dp_tokenizer {
    _opaque: [u8; 0],
    _not_shared: std::marker::PhantomData<*mut u8>,
}

pub type dp_log_function = Option<unsafe extern "C" fn(user: *mut c_void, level: i32, line: *const c_char)>;

pub type dp_release_function = Option<unsafe extern "C" fn(user: *mut c_void, data: *const c_void, bytes: u64)>;

pub type dp_backend_entry_function = Option<unsafe extern "C" fn() -> *const dp_backend>;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_calib_options {
    pub size: u32,
    pub samples: i32,
    pub length: i32,
    pub rows: i32,
    pub seed: u64,
    pub bos_each: i32,
    pub encode: u32,
    pub row_bos: i32,
    pub reserved: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_calib_info {
    pub size: u32,
    pub samples: i32,
    pub length: i32,
    pub rows: i32,
    pub seed: u64,
    pub digest: *const c_char,
    pub source: *const c_char,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_allocator {
    pub alloc: Option<unsafe extern "C" fn(user: *mut c_void, size: u64, align: u64) -> *mut c_void>,
    pub free: Option<unsafe extern "C" fn(user: *mut c_void, memory: *mut c_void, size: u64)>,
    pub user: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_context_options {
    pub size: u32,
    pub threads: i32,
    pub memory_limit: u64,
    pub backend: *const c_char,
    pub gemm: *const c_char,
    pub kernels: *const c_char,
    pub plugin: *const c_char,
    pub allocator: *const dp_allocator,
    pub log: dp_log_function,
    pub log_user: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_progress {
    pub size: u32,
    pub reserved: u32,
    pub phase: *const c_char,
    pub done: u64,
    pub total: u64,
    pub elapsed: f64,
    pub left: f64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_monitor {
    pub size: u32,
    pub interval_ms: u32,
    pub cancel: *const i32,
    pub progress: Option<unsafe extern "C" fn(user: *mut c_void, now: *const dp_progress) -> i32>,
    pub user: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_evaluator_options {
    pub size: u32,
    pub window: i32,
    pub mode: i32,
    pub bos: i32,
    pub encode: u32,
    pub batch: i32,
    pub limit: i64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_perplexity {
    pub size: u32,
    pub window: i32,
    pub mode: i32,
    pub bos: i32,
    pub windows: i64,
    pub tokens: i64,
    pub nll: f64,
    pub perplexity: f64,
    pub digest: [c_char; 72],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_model_options {
    pub size: u32,
    pub load: i32,
    pub allow_nonfinite: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_model_info {
    pub size: u32,
    pub format: i32,
    pub architecture: *const c_char,
    pub path: *const c_char,
    pub type_: i32,
    pub blocks: i32,
    pub hidden_size: i32,
    pub heads: i32,
    pub kv_heads: i32,
    pub head_dim: i32,
    pub ffn_size: i32,
    pub vocab_size: i32,
    pub context: i32,
    pub tied_head: i32,
    pub norm_epsilon: f64,
    pub rope_base: f64,
    pub parameters: u64,
    pub block_parameters: u64,
    pub bytes: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_weight {
    pub size: u32,
    pub type_: i32,
    pub name: *const c_char,
    pub data: *const c_void,
    pub bytes: u64,
    pub rows: i64,
    pub columns: i64,
    pub block: i32,
    pub reserved: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_save_options {
    pub size: u32,
    pub format: i32,
    pub type_: i32,
    pub overwrite: i32,
    pub max_shard_bytes: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_save_report {
    pub size: u32,
    pub files: i32,
    pub bytes: u64,
    pub parameters: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_pruner_options {
    pub size: u32,
    pub blocks: i32,
    pub ratio: f64,
    pub parameters: u64,
    pub protect_first: i32,
    pub protect_last: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_plan_info {
    pub size: u32,
    pub blocks: i32,
    pub removed: *const i32,
    pub kept: *const i32,
    pub n_removed: i32,
    pub n_kept: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_scorer_options {
    pub size: u32,
    pub norm_power: i32,
    pub criterion: *const c_char,
    pub weight_reduction: i32,
    pub block_reduction: i32,
    pub projections_only: i32,
    pub protect_first: i32,
    pub protect_last: i32,
    pub group_samples: i32,
    pub resume: i32,
    pub reserved: i32,
    pub journal: *const c_char,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_scores_info {
    pub size: u32,
    pub blocks: i32,
    pub criterion: *const c_char,
    pub scores: *const f64,
    pub order: *const i32,
    pub dense: f64,
    pub protect_first: i32,
    pub protect_last: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_mat {
    pub data: *mut c_void,
    pub rows: i64,
    pub cols: i64,
    pub stride: i64,
    pub type_: i32,
    pub reserved: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_host {
    pub size: u32,
    pub threads: i32,
    pub gemm: i32,
    pub kernels: i32,
    pub user: *mut c_void,
    pub alloc: Option<unsafe extern "C" fn(user: *mut c_void, size: u64) -> *mut c_void>,
    pub free: Option<unsafe extern "C" fn(user: *mut c_void, memory: *mut c_void)>,
    pub parallel: Option<unsafe extern "C" fn(user: *mut c_void, count: i64, grain: i64, fn_: Option<unsafe extern "C" fn(arg: *mut c_void, begin: i64, end: i64, worker: i32)>, arg: *mut c_void) -> c_int>,
    pub log: Option<unsafe extern "C" fn(user: *mut c_void, level: i32, line: *const c_char)>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_backend_info {
    pub size: u32,
    pub flags: u32,
    pub name: *const c_char,
    pub device: *const c_char,
    pub kernels: *const c_char,
    pub libraries: *const c_char,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_gemm_args {
    pub a: dp_mat,
    pub b: dp_mat,
    pub c: dp_mat,
    pub bias: dp_mat,
    pub batch: i64,
    pub a_step: i64,
    pub b_step: i64,
    pub c_step: i64,
    pub alpha: f32,
    pub beta: f32,
    pub transpose_a: i32,
    pub transpose_b: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_embed_args {
    pub table: dp_mat,
    pub y: dp_mat,
    pub ids: *const i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_embed_grad_args {
    pub y_grad: dp_mat,
    pub table_grad: dp_mat,
    pub ids: *const i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_rmsnorm_args {
    pub x: dp_mat,
    pub weight: dp_mat,
    pub y: dp_mat,
    pub rstd: dp_mat,
    pub epsilon: f32,
    pub reserved: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_rmsnorm_grad_args {
    pub x: dp_mat,
    pub weight: dp_mat,
    pub rstd: dp_mat,
    pub y_grad: dp_mat,
    pub x_grad: dp_mat,
    pub weight_grad: dp_mat,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_rope_args {
    pub x: dp_mat,
    pub positions: *const i32,
    pub inverse_frequencies: *const f32,
    pub head_dim: i32,
    pub pairing: i32,
    pub inverse: i32,
    pub reserved: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_softmax_args {
    pub x: dp_mat,
    pub y: dp_mat,
    pub queries: i64,
    pub scale: f32,
    pub causal: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_softmax_grad_args {
    pub y: dp_mat,
    pub y_grad: dp_mat,
    pub x_grad: dp_mat,
    pub scale: f32,
    pub reserved: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_glu_args {
    pub a: dp_mat,
    pub b: dp_mat,
    pub y: dp_mat,
    pub gate: i32,
    pub reserved: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_glu_grad_args {
    pub a: dp_mat,
    pub b: dp_mat,
    pub y_grad: dp_mat,
    pub a_grad: dp_mat,
    pub b_grad: dp_mat,
    pub gate: i32,
    pub reserved: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_xent_args {
    pub x: dp_mat,
    pub loss: dp_mat,
    pub x_grad: dp_mat,
    pub labels: *const i32,
    pub scale: f32,
    pub reserved: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_axpby_args {
    pub x: dp_mat,
    pub y: dp_mat,
    pub alpha: f32,
    pub beta: f32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_cast_args {
    pub x: dp_mat,
    pub y: dp_mat,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_reduce_args {
    pub x: dp_mat,
    pub y: dp_mat,
    pub result: dp_mat,
    pub kind: i32,
    pub reserved: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_dropout_args {
    pub x: dp_mat,
    pub y: dp_mat,
    pub seed: u64,
    pub counter: u64,
    pub rate: f32,
    pub reserved: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_adamw_args {
    pub weight: dp_mat,
    pub grad: dp_mat,
    pub first: dp_mat,
    pub second: dp_mat,
    pub step: i64,
    pub rate: f32,
    pub beta1: f32,
    pub beta2: f32,
    pub epsilon: f32,
    pub decay: f32,
    pub grad_scale: f32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_add_rmsnorm_args {
    pub x: dp_mat,
    pub delta: dp_mat,
    pub weight: dp_mat,
    pub y: dp_mat,
    pub rstd: dp_mat,
    pub epsilon: f32,
    pub reserved: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_add_rmsnorm_grad_args {
    pub x: dp_mat,
    pub weight: dp_mat,
    pub rstd: dp_mat,
    pub y_grad: dp_mat,
    pub delta_grad: dp_mat,
    pub x_grad: dp_mat,
    pub weight_grad: dp_mat,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_qkv_rope_args {
    pub x: dp_mat,
    pub wq: dp_mat,
    pub wk: dp_mat,
    pub wv: dp_mat,
    pub bq: dp_mat,
    pub bk: dp_mat,
    pub bv: dp_mat,
    pub q: dp_mat,
    pub k: dp_mat,
    pub v: dp_mat,
    pub positions: *const i32,
    pub inverse_frequencies: *const f32,
    pub head_dim: i32,
    pub pairing: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_attention_args {
    pub q: dp_mat,
    pub k: dp_mat,
    pub v: dp_mat,
    pub y: dp_mat,
    pub lse: dp_mat,
    pub sequences: i64,
    pub queries: i64,
    pub keys: i64,
    pub heads: i32,
    pub kv_heads: i32,
    pub head_dim: i32,
    pub scale: f32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_attention_grad_args {
    pub q: dp_mat,
    pub k: dp_mat,
    pub v: dp_mat,
    pub y: dp_mat,
    pub lse: dp_mat,
    pub y_grad: dp_mat,
    pub q_grad: dp_mat,
    pub k_grad: dp_mat,
    pub v_grad: dp_mat,
    pub sequences: i64,
    pub queries: i64,
    pub keys: i64,
    pub heads: i32,
    pub kv_heads: i32,
    pub head_dim: i32,
    pub scale: f32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_attention_decode_args {
    pub q: dp_mat,
    pub k: dp_mat,
    pub v: dp_mat,
    pub y: dp_mat,
    pub lengths: *const i32,
    pub sequences: i64,
    pub capacity: i64,
    pub heads: i32,
    pub kv_heads: i32,
    pub head_dim: i32,
    pub scale: f32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_linear_xent_args {
    pub x: dp_mat,
    pub weight: dp_mat,
    pub loss: dp_mat,
    pub labels: *const i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_linear_xent_grad_args {
    pub x: dp_mat,
    pub weight: dp_mat,
    pub loss: dp_mat,
    pub x_grad: dp_mat,
    pub weight_grad: dp_mat,
    pub labels: *const i32,
    pub scale: f32,
    pub reserved: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_swiglu_args {
    pub x: dp_mat,
    pub gate_weight: dp_mat,
    pub up_weight: dp_mat,
    pub y: dp_mat,
    pub gate: i32,
    pub reserved: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_adamw_multi_args {
    pub items: *const dp_adamw_args,
    pub count: i64,
    pub norm: *mut f64,
    pub clip: f32,
    pub reserved: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_sample_args {
    pub x: dp_mat,
    pub ids: *mut i32,
    pub seed: u64,
    pub counter: u64,
    pub temperature: f32,
    pub top_p: f32,
    pub top_k: i32,
    pub reserved: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_comm_args {
    pub comm: *mut dp_comm,
    pub send: *mut c_void,
    pub receive: *mut c_void,
    pub count: i64,
    pub root: i32,
    pub reserved: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_backend {
    pub size: u32,
    pub abi: u32,
    pub open: Option<unsafe extern "C" fn(host: *const dp_host, device: i32, out: *mut *mut dp_stream, error: *mut dp_error) -> c_int>,
    pub close: Option<unsafe extern "C" fn(stream: *mut dp_stream)>,
    pub describe: Option<unsafe extern "C" fn(stream: *mut dp_stream, info: *mut dp_backend_info, error: *mut dp_error) -> c_int>,
    pub sync: Option<unsafe extern "C" fn(stream: *mut dp_stream, error: *mut dp_error) -> c_int>,
    pub alloc: Option<unsafe extern "C" fn(stream: *mut dp_stream, bytes: u64, out: *mut *mut c_void, error: *mut dp_error) -> c_int>,
    pub free: Option<unsafe extern "C" fn(stream: *mut dp_stream, memory: *mut c_void)>,
    pub upload: Option<unsafe extern "C" fn(stream: *mut dp_stream, to: *mut c_void, from: *const c_void, bytes: u64, error: *mut dp_error) -> c_int>,
    pub download: Option<unsafe extern "C" fn(stream: *mut dp_stream, to: *mut c_void, from: *const c_void, bytes: u64, error: *mut dp_error) -> c_int>,
    pub copy2d: Option<unsafe extern "C" fn(stream: *mut dp_stream, from: *const dp_mat, to: *const dp_mat, error: *mut dp_error) -> c_int>,
    pub fill: Option<unsafe extern "C" fn(stream: *mut dp_stream, x: *const dp_mat, value: f32, error: *mut dp_error) -> c_int>,
    pub gemm: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_gemm_args, error: *mut dp_error) -> c_int>,
    pub embed: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_embed_args, error: *mut dp_error) -> c_int>,
    pub rmsnorm: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_rmsnorm_args, error: *mut dp_error) -> c_int>,
    pub rope: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_rope_args, error: *mut dp_error) -> c_int>,
    pub softmax: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_softmax_args, error: *mut dp_error) -> c_int>,
    pub glu: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_glu_args, error: *mut dp_error) -> c_int>,
    pub xent: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_xent_args, error: *mut dp_error) -> c_int>,
    pub axpby: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_axpby_args, error: *mut dp_error) -> c_int>,
    pub cast: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_cast_args, error: *mut dp_error) -> c_int>,
    pub reduce: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_reduce_args, error: *mut dp_error) -> c_int>,
    pub embed_grad: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_embed_grad_args, error: *mut dp_error) -> c_int>,
    pub rmsnorm_grad: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_rmsnorm_grad_args, error: *mut dp_error) -> c_int>,
    pub softmax_grad: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_softmax_grad_args, error: *mut dp_error) -> c_int>,
    pub glu_grad: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_glu_grad_args, error: *mut dp_error) -> c_int>,
    pub dropout: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_dropout_args, error: *mut dp_error) -> c_int>,
    pub adamw: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_adamw_args, error: *mut dp_error) -> c_int>,
    pub add_rmsnorm: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_add_rmsnorm_args, error: *mut dp_error) -> c_int>,
    pub add_rmsnorm_grad: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_add_rmsnorm_grad_args, error: *mut dp_error) -> c_int>,
    pub qkv_rope: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_qkv_rope_args, error: *mut dp_error) -> c_int>,
    pub attention: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_attention_args, error: *mut dp_error) -> c_int>,
    pub attention_grad: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_attention_grad_args, error: *mut dp_error) -> c_int>,
    pub attention_decode: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_attention_decode_args, error: *mut dp_error) -> c_int>,
    pub linear_xent: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_linear_xent_args, error: *mut dp_error) -> c_int>,
    pub linear_xent_grad: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_linear_xent_grad_args, error: *mut dp_error) -> c_int>,
    pub swiglu: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_swiglu_args, error: *mut dp_error) -> c_int>,
    pub adamw_multi: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_adamw_multi_args, error: *mut dp_error) -> c_int>,
    pub sample: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_sample_args, error: *mut dp_error) -> c_int>,
    pub upload_async: Option<unsafe extern "C" fn(stream: *mut dp_stream, to: *mut c_void, from: *const c_void, bytes: u64, done: *mut *mut dp_event, error: *mut dp_error) -> c_int>,
    pub wait: Option<unsafe extern "C" fn(stream: *mut dp_stream, event: *mut dp_event, error: *mut dp_error) -> c_int>,
    pub memory_info: Option<unsafe extern "C" fn(stream: *mut dp_stream, free_bytes: *mut u64, total_bytes: *mut u64, peak_bytes: *mut u64, error: *mut dp_error) -> c_int>,
    pub mark: Option<unsafe extern "C" fn(stream: *mut dp_stream, out: *mut *mut dp_event, error: *mut dp_error) -> c_int>,
    pub elapsed: Option<unsafe extern "C" fn(stream: *mut dp_stream, from: *mut dp_event, to: *mut dp_event, seconds: *mut f64, error: *mut dp_error) -> c_int>,
    pub event_free: Option<unsafe extern "C" fn(stream: *mut dp_stream, event: *mut dp_event)>,
    pub capture_begin: Option<unsafe extern "C" fn(stream: *mut dp_stream, error: *mut dp_error) -> c_int>,
    pub capture_end: Option<unsafe extern "C" fn(stream: *mut dp_stream, out: *mut *mut dp_graph, error: *mut dp_error) -> c_int>,
    pub replay: Option<unsafe extern "C" fn(stream: *mut dp_stream, graph: *mut dp_graph, error: *mut dp_error) -> c_int>,
    pub graph_free: Option<unsafe extern "C" fn(stream: *mut dp_stream, graph: *mut dp_graph)>,
    pub comm_open: Option<unsafe extern "C" fn(stream: *mut dp_stream, rank: i32, ranks: i32, id: *const c_void, out: *mut *mut dp_comm, error: *mut dp_error) -> c_int>,
    pub comm_close: Option<unsafe extern "C" fn(comm: *mut dp_comm)>,
    pub all_reduce: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_comm_args, error: *mut dp_error) -> c_int>,
    pub reduce_scatter: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_comm_args, error: *mut dp_error) -> c_int>,
    pub all_gather: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_comm_args, error: *mut dp_error) -> c_int>,
    pub broadcast: Option<unsafe extern "C" fn(stream: *mut dp_stream, args: *const dp_comm_args, error: *mut dp_error) -> c_int>,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_tokenizer_info {
    pub size: u32,
    pub tokens: i32,
    pub bos: i32,
    pub eos: i32,
    pub unk: i32,
    pub pad: i32,
    pub adds_bos: i32,
    pub reserved: i32,
    pub kind: *const c_char,
    pub digest: *const c_char,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct dp_error {
    pub offset: i64,
    pub code: i32,
    pub system_error: i32,
    pub line: i32,
    pub column: i32,
    pub file: [c_char; 512],
    pub item: [c_char; 128],
    pub message: [c_char; 320],
    pub reserved: [u8; 32],
}

extern "C" {
    pub fn dp_calib_options_init(options: *mut dp_calib_options, size: usize);
    pub fn dp_calib_open(context: *mut dp_context, tokenizer: *const dp_tokenizer, path: *const c_char, options: *const dp_calib_options, monitor: *const dp_monitor, out: *mut *mut dp_calib, error: *mut dp_error) -> c_int;
    pub fn dp_calib_from_ids(context: *mut dp_context, ids: *const i32, samples: i32, length: i32, out: *mut *mut dp_calib, error: *mut dp_error) -> c_int;
    pub fn dp_calib_describe(calib: *const dp_calib, info: *mut dp_calib_info, error: *mut dp_error) -> c_int;
    pub fn dp_calib_ids(calib: *const dp_calib) -> *const i32;
    pub fn dp_calib_free(calib: *mut dp_calib);
    pub fn dp_context_options_init(options: *mut dp_context_options, size: usize);
    pub fn dp_context_new(options: *const dp_context_options, out: *mut *mut dp_context, error: *mut dp_error) -> c_int;
    pub fn dp_context_describe(context: *mut dp_context, text: *mut c_char, capacity: usize, needed: *mut usize, error: *mut dp_error) -> c_int;
    pub fn dp_context_free(context: *mut dp_context);
    pub fn dp_evaluator_options_init(options: *mut dp_evaluator_options, size: usize);
    pub fn dp_evaluator_new(context: *mut dp_context, options: *const dp_evaluator_options, out: *mut *mut dp_evaluator, error: *mut dp_error) -> c_int;
    pub fn dp_evaluator_perplexity(evaluator: *mut dp_evaluator, model: *const dp_model, tokenizer: *const dp_tokenizer, path: *const c_char, monitor: *const dp_monitor, result: *mut dp_perplexity, error: *mut dp_error) -> c_int;
    pub fn dp_evaluator_perplexity_ids(evaluator: *mut dp_evaluator, model: *const dp_model, ids: *const i32, count: usize, monitor: *const dp_monitor, result: *mut dp_perplexity, error: *mut dp_error) -> c_int;
    pub fn dp_evaluator_logits(evaluator: *mut dp_evaluator, model: *const dp_model, ids: *const i32, count: usize, rows: usize, monitor: *const dp_monitor, logits: *mut f32, error: *mut dp_error) -> c_int;
    pub fn dp_evaluator_hidden(evaluator: *mut dp_evaluator, model: *const dp_model, ids: *const i32, count: usize, block: i32, monitor: *const dp_monitor, hidden: *mut f32, error: *mut dp_error) -> c_int;
    pub fn dp_evaluator_free(evaluator: *mut dp_evaluator);
    pub fn dp_model_options_init(options: *mut dp_model_options, size: usize);
    pub fn dp_model_open(context: *mut dp_context, path: *const c_char, options: *const dp_model_options, monitor: *const dp_monitor, out: *mut *mut dp_model, error: *mut dp_error) -> c_int;
    pub fn dp_model_describe(model: *const dp_model, info: *mut dp_model_info, error: *mut dp_error) -> c_int;
    pub fn dp_model_weight_count(model: *const dp_model) -> usize;
    pub fn dp_model_weight(model: *const dp_model, index: usize, weight: *mut dp_weight, error: *mut dp_error) -> c_int;
    pub fn dp_model_origin(model: *const dp_model, block: i32) -> i32;
    pub fn dp_model_digest(model: *mut dp_model, monitor: *const dp_monitor, text: *mut c_char, error: *mut dp_error) -> c_int;
    pub fn dp_model_check(model: *const dp_model, monitor: *const dp_monitor, error: *mut dp_error) -> c_int;
    pub fn dp_save_options_init(options: *mut dp_save_options, size: usize);
    pub fn dp_model_save(model: *const dp_model, path: *const c_char, options: *const dp_save_options, monitor: *const dp_monitor, report: *mut dp_save_report, error: *mut dp_error) -> c_int;
    pub fn dp_model_save_estimate(model: *const dp_model, path: *const c_char, options: *const dp_save_options, report: *mut dp_save_report, error: *mut dp_error) -> c_int;
    pub fn dp_model_free(model: *mut dp_model);
    pub fn dp_model_builder_new(context: *mut dp_context, config: *const c_char, bytes: usize, options: *const dp_model_options, out: *mut *mut dp_model_builder, error: *mut dp_error) -> c_int;
    pub fn dp_model_builder_add(builder: *mut dp_model_builder, weight: *const dp_weight, release: dp_release_function, user: *mut c_void, error: *mut dp_error) -> c_int;
    pub fn dp_model_builder_finish(builder: *mut dp_model_builder, out: *mut *mut dp_model, error: *mut dp_error) -> c_int;
    pub fn dp_model_builder_free(builder: *mut dp_model_builder);
    pub fn dp_pruner_options_init(options: *mut dp_pruner_options, size: usize);
    pub fn dp_pruner_new(context: *mut dp_context, options: *const dp_pruner_options, out: *mut *mut dp_pruner, error: *mut dp_error) -> c_int;
    pub fn dp_pruner_plan(pruner: *mut dp_pruner, model: *const dp_model, scores: *const dp_scores, out: *mut *mut dp_plan, error: *mut dp_error) -> c_int;
    pub fn dp_pruner_run(pruner: *mut dp_pruner, model: *const dp_model, plan: *const dp_plan, out: *mut *mut dp_model, error: *mut dp_error) -> c_int;
    pub fn dp_pruner_free(pruner: *mut dp_pruner);
    pub fn dp_plan_from_list(context: *mut dp_context, model: *const dp_model, remove: *const i32, count: usize, out: *mut *mut dp_plan, error: *mut dp_error) -> c_int;
    pub fn dp_plan_describe(plan: *const dp_plan, info: *mut dp_plan_info, error: *mut dp_error) -> c_int;
    pub fn dp_plan_write(plan: *const dp_plan, text: *mut c_char, capacity: usize, needed: *mut usize, error: *mut dp_error) -> c_int;
    pub fn dp_plan_read(context: *mut dp_context, text: *const c_char, bytes: usize, name: *const c_char, out: *mut *mut dp_plan, error: *mut dp_error) -> c_int;
    pub fn dp_plan_free(plan: *mut dp_plan);
    pub fn dp_scorer_options_init(options: *mut dp_scorer_options, size: usize);
    pub fn dp_scorer_new(context: *mut dp_context, options: *const dp_scorer_options, out: *mut *mut dp_scorer, error: *mut dp_error) -> c_int;
    pub fn dp_scorer_run(scorer: *mut dp_scorer, model: *const dp_model, calib: *const dp_calib, monitor: *const dp_monitor, out: *mut *mut dp_scores, error: *mut dp_error) -> c_int;
    pub fn dp_scorer_free(scorer: *mut dp_scorer);
    pub fn dp_scores_describe(scores: *const dp_scores, info: *mut dp_scores_info, error: *mut dp_error) -> c_int;
    pub fn dp_scores_write(scores: *const dp_scores, text: *mut c_char, capacity: usize, needed: *mut usize, error: *mut dp_error) -> c_int;
    pub fn dp_scores_read(context: *mut dp_context, text: *const c_char, bytes: usize, name: *const c_char, out: *mut *mut dp_scores, error: *mut dp_error) -> c_int;
    pub fn dp_scores_free(scores: *mut dp_scores);
    pub fn dp_tokenizer_open(context: *mut dp_context, path: *const c_char, out: *mut *mut dp_tokenizer, error: *mut dp_error) -> c_int;
    pub fn dp_tokenizer_describe(tokenizer: *const dp_tokenizer, info: *mut dp_tokenizer_info, error: *mut dp_error) -> c_int;
    pub fn dp_tokenizer_encode(tokenizer: *const dp_tokenizer, text: *const c_char, bytes: usize, flags: u32, ids: *mut i32, capacity: usize, needed: *mut usize, error: *mut dp_error) -> c_int;
    pub fn dp_tokenizer_decode(tokenizer: *const dp_tokenizer, ids: *const i32, count: usize, flags: u32, text: *mut c_char, capacity: usize, needed: *mut usize, error: *mut dp_error) -> c_int;
    pub fn dp_tokenizer_free(tokenizer: *mut dp_tokenizer);
    pub fn dp_code_name(code: i32) -> *const c_char;
    pub fn dp_type_name(type_: i32) -> *const c_char;
    pub fn dp_version() -> i32;
    pub fn dp_version_text() -> *const c_char;
    pub fn dp_build_info() -> *const c_char;
}

impl Default for dp_calib_options {
    fn default() -> Self {
        unsafe {
            let mut options: Self = std::mem::zeroed();
            dp_calib_options_init(&mut options, std::mem::size_of::<Self>());
            options
        }
    }
}

impl Default for dp_context_options {
    fn default() -> Self {
        unsafe {
            let mut options: Self = std::mem::zeroed();
            dp_context_options_init(&mut options, std::mem::size_of::<Self>());
            options
        }
    }
}

impl Default for dp_evaluator_options {
    fn default() -> Self {
        unsafe {
            let mut options: Self = std::mem::zeroed();
            dp_evaluator_options_init(&mut options, std::mem::size_of::<Self>());
            options
        }
    }
}

impl Default for dp_model_options {
    fn default() -> Self {
        unsafe {
            let mut options: Self = std::mem::zeroed();
            dp_model_options_init(&mut options, std::mem::size_of::<Self>());
            options
        }
    }
}

impl Default for dp_save_options {
    fn default() -> Self {
        unsafe {
            let mut options: Self = std::mem::zeroed();
            dp_save_options_init(&mut options, std::mem::size_of::<Self>());
            options
        }
    }
}

impl Default for dp_pruner_options {
    fn default() -> Self {
        unsafe {
            let mut options: Self = std::mem::zeroed();
            dp_pruner_options_init(&mut options, std::mem::size_of::<Self>());
            options
        }
    }
}

impl Default for dp_scorer_options {
    fn default() -> Self {
        unsafe {
            let mut options: Self = std::mem::zeroed();
            dp_scorer_options_init(&mut options, std::mem::size_of::<Self>());
            options
        }
    }
}
