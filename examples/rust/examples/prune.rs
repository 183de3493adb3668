//! Score the blocks of a model by perplexity, remove the least important one, save the rest and measure it; print one
//! JSON document.   usage: prune MODEL OUT [TEXT]
//! Without a text the calibration ids are made up, as in the C example.
use depthprune::{Calib, CalibOptions, Context, Error, Evaluator, EvaluatorOptions, Model, Monitor, Pruner};
use depthprune::{PrunerOptions, Result, SaveOptions, Scorer, ScorerOptions, Tokenizer};
use std::ops::ControlFlow;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::process::ExitCode;

const SAMPLES: usize = 4;
const LENGTH: usize = 32;

fn made_up(model: &Model) -> Result<Vec<i32>> {
    let vocabulary = model.info()?.vocab_size;
    Ok((0..(SAMPLES * LENGTH) as i32).map(|i| (i * 7 + 3) % vocabulary).collect())
}

fn run(path: &str, out: &str, text: Option<&str>) -> Result<()> {
    let context = Context::new()?;
    let model = Model::open(&context, path)?;
    let calib = match text {
        Some(text) => {
            let tokenizer = Tokenizer::open(&context, path)?;
            Calib::open(&context, &tokenizer, text, &CalibOptions::default(), None)?
        }
        None => Calib::from_ids(&context, &made_up(&model)?, LENGTH)?,
    };
    let mut reports = 0;
    let mut monitor = Monitor::new().interval_ms(1).progress(|now| {
        reports += 1;
        eprint!("\r{} {} of {}", now.phase, now.done, now.total);
        ControlFlow::Continue(())
    });
    let mut scorer = Scorer::new(&context, &ScorerOptions::default())?;
    let scores = scorer.run(&model, Some(&calib), Some(&mut monitor))?;
    drop(monitor);
    eprintln!();
    let mut pruner = Pruner::new(&context, &PrunerOptions { blocks: 1, ..Default::default() })?;
    let plan = pruner.plan(&model, &scores)?;
    let shorter = pruner.run(&model, &plan)?;
    let saved = shorter.save(out, &SaveOptions::default(), None)?;
    let options = EvaluatorOptions { window: LENGTH as i32, ..Default::default() };
    let found = Evaluator::new(&context, &options)?.perplexity_ids(&shorter, calib.ids()?, None)?;
    println!(
        "{{\"scores\": {:?}, \"removed\": {:?}, \"nll\": {:?}, \"perplexity\": {:?},",
        scores.info()?.scores,
        plan.info()?.removed,
        found.nll,
        found.perplexity
    );
    println!(
        " \"files\": {}, \"digest\": \"{}\", \"watched\": {},",
        saved.files,
        shorter.digest(None)?,
        reports > 0
    );
    println!(
        " \"stopped\": \"{}\", \"panicked\": {}, \"missing\": \"{}\"}}",
        stopped(&mut scorer, &model, &calib),
        panicked(&mut scorer, &model, &calib),
        missing(&context)
    );
    Ok(())
}

// A closure that stops the run, one that panics in it, and a model that does not exist: how each looks to a host.
fn stopped(scorer: &mut Scorer, model: &Model, calib: &Calib) -> &'static str {
    let mut monitor = Monitor::new().progress(|_| ControlFlow::Break(()));
    scorer.run(model, Some(calib), Some(&mut monitor)).err().map_or("nothing", |error| error.name())
}

fn panicked(scorer: &mut Scorer, model: &Model, calib: &Calib) -> bool {
    std::panic::set_hook(Box::new(|_| ()));
    let mut monitor = Monitor::new().progress(|_| panic!("out of the closure"));
    let caught = catch_unwind(AssertUnwindSafe(|| scorer.run(model, Some(calib), Some(&mut monitor)).is_ok()));
    let _ = std::panic::take_hook();
    caught.err().map_or(false, |panic| panic.downcast_ref::<&str>() == Some(&"out of the closure"))
}

fn missing(context: &Context) -> String {
    let error: Option<Error> = Model::open(context, "no-such-model").err();
    error.map_or_else(String::new, |error| format!("{}: {}", error.name(), error))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.len() < 3 || arguments.len() > 4 {
        eprintln!("usage: prune MODEL OUT [TEXT]");
        return ExitCode::from(2);
    }
    match run(&arguments[1], &arguments[2], arguments.get(3).map(String::as_str)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {}", error.name(), error);
            ExitCode::FAILURE
        }
    }
}
