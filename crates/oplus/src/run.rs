//! A run of the program: training, then measurement, samples, results and report.

use crate::ending::Ending;
use crate::interruption;
use crate::kinds::{DIRECTION, data_sets, dataset, inputs, inputs_of, protocol};
use crate::live::Live;
use crate::manifest::Manifest;
use crate::memory;
use crate::monitor::Monitor;
use crate::progress::Progress;
use crate::run_folder::{PATHS_PICTURE, REPORT_FILE, RESULTS_FILE, results_of_training, write_json};
use crate::sketch::Sketch;
use crate::{gallery, live, page, samples};
use anyhow::Result;
use datasets::write_whole;
use eval::planar::Plane;
use eval::results::{Floor, Layout, Metrics, Protocol, Results, Row, Settings, Status, Verdict};
use eval::sampling;
use flows::device::Device;
use flows::record::RecordError;
use measure::{MeasureError, Measurement, Quality, Records, Tell, seconds_to_near_floor};
use ndarray::{Array2, ArrayView2};
use std::path::{Path, PathBuf};
use train::config::{Config, Configuration};
use train::model::FlowModel;
use train::observe::{Format, Terminal};
use train::outcome::{self, Outcome};
use train::run::{Lock, Run, damaged_checkpoints, newest_checkpoint};
use train::training::Training;
use train::{FlowConfig, Model, TrainError};

/// Particles whose paths are drawn.
const DRAWN_PATHS: usize = 400;
/// Points of a side of the grid on which potential and critic are drawn.
const GRID: usize = 49;
/// Most steps of a drawn path.
const DRAWN_STEPS: usize = 16;
/// The most of the time of a training that its readings may take, where no table is made of them.
const READING_SHARE: f64 = 0.05;

/// How a training is made; nothing of it is told by the numbers.
pub(crate) struct How {
    /// Whether to go on with what the folder holds.
    pub resume: bool,
    pub device: Device,
    /// What else its records are written as.
    pub observe: Vec<Format>,
}

/// Trains in a folder, measures the flow and writes samples, results and report; what is already done is not repeated.
pub(crate) fn train(config: &Config, folder: &Path, manifest: &Manifest, how: &How) -> Result<Ending> {
    let ended = if how.resume { ended(config, folder)? } else { None };
    if let Some(outcome) = &ended
        && let Some(ending) = measured(config, folder, &manifest.preset)?
    {
        let (folder, iterations) = (folder.display(), outcome.iterations);
        say::answer!(
            "{folder} is finished after {iterations} iterations ({}): nothing is left to do",
            outcome.status
        );
        return Ok(ending);
    }
    let (outcome, peak_memory, _lock) = match ended {
        Some(outcome) => (outcome, None, Some(Lock::acquire(folder)?)),
        None => {
            let (outcome, lock) = trained(config, folder, manifest, how)?;
            (outcome, memory::peak(), lock)
        }
    };
    let go_on = format!("go on with `cargo xtask resume {}`", folder.display());
    if outcome.status == outcome::Status::Interrupted {
        let state = newest_checkpoint(folder)?.unwrap_or_default();
        say::note!(
            "interrupted after iteration {}: its state is in {}; {go_on}",
            outcome.iterations,
            state.display()
        );
        return Ok(interruption::ending().unwrap_or(Ending::Interrupted(0)));
    }
    let unmeasured = format!("interrupted before the trained run is measured: {go_on}");
    if let Some(ending) = interruption::ending() {
        say::note!("{unmeasured}");
        return Ok(ending);
    }
    interruption::advise(Some(unmeasured));
    let results = finish(config, folder, (&outcome, peak_memory), manifest)?;
    report(folder)?;
    interruption::advise(None);
    let status = status(&results);
    results.rows.iter().for_each(say);
    match &status {
        Status::Ok => say::answer!("done: {}", folder.join(REPORT_FILE).display()),
        Status::Diverged { step, reason } => say::note!(
            "diverged at iteration {step} ({reason}): {} holds the last finite state; lower the learning rates, or bound \
             the critic's slope",
            folder.display()
        ),
    }
    Ok(Ending::from(&status))
}

/// How the training in a folder has ended, if it has.
fn ended(config: &Config, folder: &Path) -> Result<Option<Outcome>, TrainError> {
    match config {
        Config::Flow(config) => train::run::ended(config.as_ref(), &inputs(), folder),
        Config::Generator(config) => train::run::ended(config.as_ref(), &inputs(), folder),
        Config::Critic(config) => train::run::ended(config.as_ref(), &inputs(), folder),
    }
}

/// How a run of this configuration has ended, where a folder has it to its end, with its results. Reads its checkpoint and
/// its data.
pub(crate) fn finished(config: &Config, folder: &Path, preset: &str) -> Option<Ending> {
    let ending = measured(config, folder, preset).ok().flatten()?;
    matches!(ended(config, folder), Ok(Some(_))).then_some(ending)
}

/// How the training in a folder ended, where it has been measured as this preset does.
fn measured(config: &Config, folder: &Path, preset: &str) -> Result<Option<Ending>> {
    let results = results_of_training(folder)?;
    let results = results.filter(|results| results.protocol == protocol(config, preset));
    Ok(results.map(|results| Ending::from(&status(&results))))
}

/// Trains; the folder is this process's while the lock lives.
fn trained(
    config: &Config,
    folder: &Path,
    manifest: &Manifest,
    how: &How,
) -> Result<(Outcome, Option<Lock>)> {
    let _patience = interruption::patience();
    let for_tensorboard = how.observe.contains(&Format::TensorBoard) || Format::TensorBoard.is_in(folder);
    let sketch = for_tensorboard.then(|| Sketch::new(config)).transpose()?;
    Ok(match config {
        Config::Flow(config) => {
            let (protocol, pairs) = watched(config, manifest);
            let mut quality = Quality::new(config, &inputs(), protocol, pairs)?;
            let mut run = begin(config.as_ref(), folder, manifest, how)?.measure(|training| {
                Ok(quality.measure(training.iteration(), || training.model())?.into_iter().collect())
            });
            if let Some(sketch) = &sketch {
                run = run.picture(|training| {
                    sketch.draw(training.iteration(), || Ok(Model::Flow(Box::new(training.model()?))))
                });
            }
            let trained = run.train()?;
            (trained.outcome, trained.lock)
        }
        Config::Generator(config) => {
            let monitor = Monitor::new(config, folder)?;
            let run = begin(config.as_ref(), folder, manifest, how)?;
            let mut run = run.measure(|training| monitor.measure(training));
            if let Some(sketch) = &sketch {
                run = run.picture(|training| {
                    sketch.draw(training.iteration(), || Ok(Model::Generator(Box::new(training.model()?))))
                });
            }
            let trained = run.train()?;
            (trained.outcome, trained.lock)
        }
        Config::Critic(config) => {
            let trained = begin(config.as_ref(), folder, manifest, how)?.train()?;
            (trained.outcome, trained.lock)
        }
    })
}

/// How samples are measured during the training, and on how many pairs of clouds at most: as in the end where a table is made
/// of it, else in a fraction of the time.
fn watched(config: &FlowConfig, manifest: &Manifest) -> (Protocol, usize) {
    let protocol = protocol(&Config::Flow(Box::new(config.clone())), &manifest.preset);
    (protocol, if manifest.with_floor { 1 } else { protocol.pairs })
}

fn begin<'a, C: Configuration>(
    config: &C,
    folder: &Path,
    manifest: &Manifest,
    how: &How,
) -> Result<Run<'a, C>> {
    let mut run = Run::new(config.clone()).out(folder).resume(how.resume).device(how.device);
    run = run.data_sets(data_sets()).formats(&how.observe);
    // The milestones of a table are read off the records: those of its rows have no gaps. Nobody looks at one of its runs.
    if manifest.with_floor {
        run = run.reading_share(READING_SHARE).observer(Live::new(folder));
    }
    let run = run.provenance(manifest.facts()?).interrupt(interruption::asked());
    Ok(run.observer(Terminal::default()))
}

/// Measures what a training has ended with, and writes samples and results; the most memory that it took in MiB is told
/// where it was trained by this process.
fn finish(
    config: &Config,
    folder: &Path,
    (outcome, peak_memory): (&Outcome, Option<f64>),
    manifest: &Manifest,
) -> Result<Results> {
    let protocol = protocol(config, &manifest.preset);
    let mut status = match &outcome.status {
        outcome::Status::Completed | outcome::Status::Stopped(_) | outcome::Status::Interrupted => Status::Ok,
        outcome::Status::Diverged { step, reason } => {
            Status::Diverged { step: *step, reason: reason.clone() }
        }
    };
    let progress = Progress::new("measuring");
    let model = Model::load_with(folder, &data_sets())?;
    let mut measured = None;
    let mut cost = Metrics::default();
    if status == Status::Ok {
        match measure::model(&model, &inputs_of(folder), protocol, &|stage| progress.stage(stage)) {
            Ok(measurement) => {
                progress.stage("the paths of some particles");
                if let Model::Flow(model) = &model {
                    write_paths(model, measurement.target.view(), folder)?;
                    write_levels(model, measurement.target.view(), folder)?;
                    if let Some(set) = config.data().images() {
                        progress.stage("pictures");
                        gallery::write(folder, model, set, &data_sets())?;
                    }
                    progress.stage("what samples cost");
                    cost.extend(measure::cost(model)?);
                }
                if let Model::Critic(model) = &model {
                    cost.insert(metrics::PARAMETERS, model.parameter_count() as f64);
                }
                if let Some(reason) = measurement.divergence() {
                    status = Status::Diverged { step: outcome.iterations, reason };
                }
                measured = Some(measurement);
            }
            Err(MeasureError::NotFinite(reason)) => {
                status = Status::Diverged { step: outcome.iterations, reason };
            }
            Err(error) => return Err(anyhow::Error::new(error).context("the run cannot be measured")),
        }
    }
    let dataset = dataset(config);
    // A critic generates none.
    let samples = measured
        .as_ref()
        .filter(|_| !matches!(model, Model::Critic(_)))
        .map(|measurement| samples::write(folder, measurement, model.units()))
        .transpose()?;
    let tell = |stage: &str| progress.stage(format!("{stage}, of points of the target for the floor"));
    // Which rows are held out depends on the seed and on the settings of a run: its floor is its own.
    let with_floor = manifest.with_floor || config.data().is_own();
    let floors = if with_floor { floors(config, protocol, &tell)? } else { Vec::new() };
    let verdict = measured
        .as_ref()
        .zip(floors.first())
        .and_then(|(found, floor)| judge((found, floor), config, protocol));
    let records = Records::read(folder)?;
    say_cost(&records, outcome.seconds);
    let mut metrics = measured.map(|measurement| measurement.metrics).unwrap_or_default();
    if status == Status::Ok {
        cost.insert(metrics::TRAINING_SECONDS, outcome.seconds);
        cost.insert(metrics::PEAK_MEMORY, peak_memory.unwrap_or(f64::NAN));
        metrics.extend(cost);
    }
    if matches!(config, Config::Generator(_)) {
        metrics.extend(records.milestones());
    }
    if matches!(config, Config::Generator(_)) || dataset.contains(DIRECTION) {
        metrics.insert(metrics::SECONDS_PER_ITERATION, outcome.seconds / outcome.iterations as f64);
    }
    let mut row = Row {
        method: config.name().into(),
        family: String::new(),
        dataset,
        dim: model.dim(),
        seed: config.seed(),
        settings: Settings::default(),
        status,
        run: ".".into(),
        samples: samples.map(str::to_owned),
        iterations: outcome.iterations,
        seconds: outcome.seconds,
        reading_seconds: records.reading_seconds(),
        metrics,
        notes: damages(folder)?,
        verdict,
    };
    if let Some(floor) = floors.first() {
        tell_time_to_floor(&mut row, &records, floor);
    }
    let results = Results::new(config.name().into(), manifest.preset.clone(), protocol, vec![row], floors);
    write_json(&folder.join(RESULTS_FILE), &results)?;
    Ok(results)
}

/// Adds to a row how long its training took to come near the floor, where it did.
pub(crate) fn tell_time_to_floor(row: &mut Row, records: &Records, floor: &Floor) {
    let of = |metrics: &Metrics| metrics.get(metrics::W2_SQUARED);
    let found = of(&row.metrics).zip(of(&floor.metrics));
    let seconds = found
        .and_then(|(w2_squared, floor)| seconds_to_near_floor(records, (row.seconds, w2_squared), floor));
    row.metrics.insert(metrics::SECONDS_TO_NEAR_FLOOR, seconds.unwrap_or(f64::NAN));
}

/// The verdict on a measurement, with what has to be known of the floor.
fn judge(
    (measurement, floor): (&Measurement, &Floor),
    config: &Config,
    protocol: Protocol,
) -> Option<Verdict> {
    // The clouds are larger where other measures take more points than those that a run is judged by.
    let points = measurement.layout.points.min(protocol.exact_points);
    let layout = Layout { points, ..measurement.layout };
    let mut verdict = Verdict::new(&measurement.metrics, &floor.metrics, layout)?;
    let has = |metric| measurement.metrics.get(metric).is_some();
    let conditional = matches!(config, Config::Flow(config) if config.condition.is_some());
    if conditional && !has(metrics::CONDITIONAL_W2_SQUARED) && !has(metrics::JOINT_W2_SQUARED) {
        verdict = verdict.withheld(
            "whether they meet their conditions is not measured, since some class is missing in some cloud: give more rows \
             of it, or hold out more",
        );
    }
    let squared = |w2: f64| w2 * w2;
    let of_floor =
        floor.metrics.get(metrics::W2_SQUARED).or_else(|| floor.metrics.get(metrics::W2).map(squared));
    let caveat = of_floor.and_then(|w2_squared| {
        let spread = sampling::mean_squared_distance(measurement.target.view());
        sampling::caveat(layout.points, floor.dim, w2_squared, spread)
    });
    Some(match caveat {
        Some(caveat) => verdict.with_caveat(caveat, &measurement.metrics, &floor.metrics),
        None => verdict,
    })
}

/// Says what the readings of a training have cost, where that is much.
fn say_cost(records: &Records, seconds: f64) {
    let (read, without) = (records.reading_seconds(), records.without_readings());
    let left_out = match without {
        0 => String::new(),
        _ => format!(
            "; {without} records are without readings, so that those after the first two seconds take about 5 % of the time"
        ),
    };
    if read >= 1.0 || without > 0 {
        say::answer!(
            "readings during the training took {read:.1} s beside {seconds:.1} s of iterations{left_out}"
        );
    }
}

/// Says how a run is judged.
fn say(row: &Row) {
    if let Some(verdict) = &row.verdict {
        say::answer!("{}", verdict.words);
        verdict.caveat.iter().for_each(|caveat| say::answer!("note: {caveat}"));
    }
}

/// Writes the ways of some particles; none where they lead out of the finite numbers.
fn write_paths(model: &FlowModel, target: ArrayView2<'_, f64>, folder: &Path) -> Result<()> {
    let plane = if target.ncols() > 1 { Plane::of(target).into_iter().next() } else { None };
    let start = model.initial(DRAWN_PATHS, model.config.seed)?;
    match model.trajectory(start.view(), model.config.sampling.steps.min(DRAWN_STEPS)) {
        Ok(trajectory) => {
            let positions = trajectory.parts().positions.iter();
            let positions: Vec<_> = positions.map(|x| model.coordinates(x.view()).to_owned()).collect();
            samples::write_paths(folder, &positions, plane.as_ref(), &model.units)
        }
        Err(TrainError::Record(RecordError::Trajectory(_))) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Writes the potential at time 0 and the critic of a flow in two dimensions where its particles are; what leads out of the
/// finite numbers is left out.
fn write_levels(model: &FlowModel, target: ArrayView2<'_, f64>, folder: &Path) -> Result<()> {
    // Under conditions there are many of each.
    if model.dim() != 2 || model.condition().is_some() || !model.has_field() {
        return Ok(());
    }
    let start = model.initial(DRAWN_PATHS, model.config.seed)?;
    let axis = |column: usize| {
        let all =
            start.column(column).into_iter().chain(target.column(column)).copied().collect::<Vec<f64>>();
        let (low, high) =
            all.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(*x), b.max(*x)));
        ((low + high) / 2.0, (high - low) / 2.0)
    };
    let ((x, wide), (y, high)) = (axis(0), axis(1));
    let half = wide.max(high);
    let at = |index: usize| half * (2.0 * index as f64 / (GRID - 1) as f64 - 1.0);
    let grid = Array2::from_shape_fn((GRID * GRID, 2), |(point, column)| {
        if column == 0 { x + at(point % GRID) } else { y + at(point / GRID) }
    });
    let write = |file, values: Vec<f64>| match values.iter().all(|value| value.is_finite()) {
        true => samples::write_values(folder, file, grid.view(), values),
        false => Ok(()),
    };
    if model.config.representation.has_potential() {
        write(samples::POTENTIAL, model.potential(grid.view(), 0.0)?)?;
    }
    if model.config.representation.has_critic() {
        write(samples::CRITIC, model.critic(grid.view())?)?;
    }
    Ok(())
}

/// Writes the report of a run folder from its files, and its paths as a picture of their own; of a run that is not measured
/// yet, what there is.
pub(crate) fn report(folder: &Path) -> Result<PathBuf> {
    let Some(results) = results_of_training(folder)? else {
        let is_under_way = matches!(Lock::acquire(folder), Err(TrainError::InUse { .. }));
        return live::write(folder, is_under_way);
    };
    if let Some(paths) = page::paths(folder, &results)? {
        let picture = paths.draw()?.to_document();
        write_whole(folder.join(PATHS_PICTURE), |file| file.write_all(picture.as_bytes()))?;
    }
    let path = folder.join(REPORT_FILE);
    let html = page::run(folder, &results)?.to_html()?;
    write_whole(&path, |file| file.write_all(html.as_bytes()))?;
    Ok(path)
}

/// The same measures between two independent samples of the target of a run.
pub(crate) fn floors(config: &Config, protocol: Protocol, tell: Tell<'_>) -> Result<Vec<Floor>> {
    Ok(measure::floor(config, &inputs(), &dataset(config), protocol, tell)?)
}

/// A sentence for each checkpoint that was damaged on the way.
fn damages(folder: &Path) -> Result<Vec<String>, TrainError> {
    let sentence = |path: PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        format!("a checkpoint was damaged ({name}): the run went on from the one before")
    };
    Ok(damaged_checkpoints(folder)?.into_iter().map(sentence).collect())
}

fn status(results: &Results) -> Status {
    results.rows.first().map_or(Status::Ok, |row| row.status.clone())
}
