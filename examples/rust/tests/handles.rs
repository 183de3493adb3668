//! What the safe handles promise; DEPTHPRUNE_TEST_MODEL names a small model.
use depthprune::{sys, Calib, Context, ContextOptions, Error, Model, ModelBuilder, ModelOptions, Monitor};
use depthprune::{
    Evaluator, EvaluatorOptions, Plan, Pruner, PrunerOptions, SaveOptions, Scorer, ScorerOptions, Scores,
};
use depthprune::{Tokenizer, Weight};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::sync::Arc;

fn model_path() -> String {
    std::env::var("DEPTHPRUNE_TEST_MODEL").expect("DEPTHPRUNE_TEST_MODEL names a model")
}

fn ids(count: i32) -> Vec<i32> {
    (0..count).map(|i| (i * 7 + 3) % 160).collect()
}

fn failure<T>(result: depthprune::Result<T>) -> Error {
    result.err().expect("this call fails")
}

#[test]
fn threads_may_have_what_the_headers_allow() {
    fn sent<T: Send>() {}
    fn shared<T: Send + Sync>() {}
    shared::<(Context, Model, Tokenizer, Calib, Scores, Plan)>();
    sent::<(Scorer, Pruner, Evaluator, ModelBuilder)>();
}

#[test]
fn threads_share_a_model() {
    let context = Context::with(ContextOptions { threads: 2, ..Default::default() }).unwrap();
    let model = Model::open(&context, model_path()).unwrap();
    let logits = |_| {
        let mut evaluator = Evaluator::new(&context, &EvaluatorOptions::default()).unwrap();
        evaluator.logits(&model, &ids(16), 2, None).unwrap()
    };
    let alone = logits(0);
    assert_eq!(alone.len(), 2 * model.info().unwrap().vocab_size as usize);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|i| scope.spawn(move || logits(i))).collect();
        for thread in threads {
            assert!(thread.join().unwrap() == alone);
        }
    });
}

#[test]
fn a_flag_stops_from_outside_and_handles_outlive_their_context() {
    let (mut scorer, model, calib) = {
        let context = Context::new().unwrap();
        let calib = Calib::from_ids(&context, &ids(64), 16).unwrap();
        let scorer = Scorer::new(&context, &ScorerOptions::default()).unwrap();
        (scorer, Model::open(&context, model_path()).unwrap(), calib)
    };
    let flag = AtomicI32::new(1);
    let stopped = scorer.run(&model, Some(&calib), Some(&mut Monitor::new().cancel(&flag)));
    assert_eq!(failure(stopped).code, sys::DP_E_CANCELLED);
    flag.store(0, Ordering::Relaxed);
    let scores = scorer.run(&model, Some(&calib), Some(&mut Monitor::new().cancel(&flag))).unwrap();
    assert_eq!(scores.info().unwrap().scores.len(), model.info().unwrap().blocks as usize);
    assert_eq!(calib.ids().unwrap(), &ids(64)[..]);
}

#[test]
fn documents_come_back() {
    let context = Context::new().unwrap();
    let model = Model::open(&context, model_path()).unwrap();
    let options = ScorerOptions { criterion: Some("mag".into()), ..Default::default() };
    let scores = Scorer::new(&context, &options).unwrap().run(&model, None, None).unwrap();
    let again = Scores::from_json(&context, &scores.to_json().unwrap(), "again").unwrap();
    assert_eq!(scores.info().unwrap().scores, again.info().unwrap().scores);
    assert_eq!(again.info().unwrap().dense, None);
    let plan = Plan::from_list(&context, &model, &[3, 1]).unwrap();
    let plan = Plan::from_json(&context, &plan.to_json().unwrap(), "plan").unwrap();
    assert_eq!(plan.info().unwrap().removed, &[1, 3]);
    let shorter = Pruner::new(&context, &PrunerOptions { blocks: 1, ..Default::default() }).unwrap();
    let shorter = { shorter }.run(&model, &plan).unwrap();
    assert_eq!((shorter.origin(1), shorter.origin(99)), (Some(2), None));
}

#[test]
fn failures_say_where() {
    let context = Context::new().unwrap();
    let broken = failure(Scores::from_json(&context, "{\"a\": 1,\n oops}", "here.json"));
    assert_eq!((broken.code, broken.file.as_str(), broken.line), (sys::DP_E_FORMAT, "here.json", 2));
    assert_eq!(failure(Model::open(&context, "a\0b")).code, sys::DP_E_ARGUMENT);
    assert_eq!(failure(Calib::from_ids(&context, &ids(7), 2)).code, sys::DP_E_ARGUMENT);
    let options = ScorerOptions { criterion: Some("luck".into()), ..Default::default() };
    assert_eq!(failure(Scorer::new(&context, &options)).name(), "DP_E_ARGUMENT");
    let model = Model::open(&context, model_path()).unwrap();
    let mut evaluator = Evaluator::new(&context, &EvaluatorOptions::default()).unwrap();
    assert_eq!(failure(evaluator.logits(&model, &ids(4), 5, None)).item, "rows");
    assert_eq!(failure(evaluator.hidden(&model, &[], 0, None)).code, sys::DP_E_ARGUMENT);
}

#[test]
fn a_log_that_panics_does_no_harm() {
    static LINES: AtomicUsize = AtomicUsize::new(0);
    let log = |_: i32, _: &str| {
        LINES.fetch_add(1, Ordering::Relaxed);
        std::panic::resume_unwind(Box::new("in the log")); // a panic without a line on standard error
    };
    let context = Context::with(ContextOptions { log: Some(Box::new(log)), ..Default::default() }).unwrap();
    let model = Model::open(&context, model_path()).unwrap();
    let out = std::env::temp_dir().join(format!("depthprune-rust-{}", std::process::id()));
    let options = SaveOptions { size: 4096, ..Default::default() }; // the wrapper knows the size better
    let saved = model.save(&out, &options, None).unwrap();
    assert_eq!(saved.parameters, model.info().unwrap().parameters);
    std::fs::remove_dir_all(&out).unwrap();
    assert!(LINES.load(Ordering::Relaxed) > 0); // that this model has no tokenizer
}

#[test]
fn a_model_of_our_own_memory_is_the_same_model() {
    let context = Context::new().unwrap();
    let config = std::fs::read_to_string(std::path::Path::new(&model_path()).join("config.json")).unwrap();
    let read = Model::open(&context, model_path()).unwrap();
    let weights: Vec<Weight> = (0..read.weight_count()).map(|i| read.weight(i).unwrap()).collect();
    let arrays: Vec<Arc<[u8]>> = weights.iter().map(|weight| Arc::from(weight.data.unwrap())).collect();
    let mut builder = ModelBuilder::new(&context, &config, &ModelOptions::default()).unwrap();
    for (weight, array) in weights.iter().zip(&arrays).skip(1) {
        builder.add(weight.name, weight.element, weight.rows, weight.columns, array.clone()).unwrap();
    }
    let again =
        builder.add(weights[1].name, weights[1].element, weights[1].rows, weights[1].columns, arrays[1].clone());
    assert_eq!(failure(again).code, sys::DP_E_FORMAT);
    assert_eq!(Arc::strong_count(&arrays[1]), 2); // what failed was given back
    assert_eq!(failure(builder.finish()).item, weights[0].name);
    builder
        .add(weights[0].name, weights[0].element, weights[0].rows, weights[0].columns, arrays[0].clone())
        .unwrap();
    let built = builder.finish().unwrap();
    drop(builder);
    assert_eq!(built.digest(None).unwrap(), read.digest(None).unwrap());
    assert!(arrays.iter().all(|array| Arc::strong_count(array) == 2));
    drop(built);
    assert!(arrays.iter().all(|array| Arc::strong_count(array) == 1));
}
