//! A run: training with observers, in a run folder or in memory.

mod checkpoints;
mod folder;
mod lock;
mod settings;

pub use checkpoints::{damaged_checkpoints, newest_checkpoint};
pub use folder::{
    CONFIG_FILE, FORMAT, HELD_OUT_CONDITIONS_FILE, HELD_OUT_FILE, INITIAL_FILE, INITIAL_RUN, MANIFEST_FILE,
    METRICS_FILE, OUTCOME_FILE, ended,
};
pub use lock::{LOCK_FILE, Lock};
pub use settings::stored_config;

pub(crate) use checkpoints::newest_state;
pub(crate) use settings::stored;

use crate::TrainError;
use crate::config::{self, Configuration, FlowConfig};
use crate::flow_run::FlowRun;
use crate::observe::{Budget, Format, JsonLines, Notice, Observer, Picture, Pictured, Record, writers};
use crate::outcome::{Outcome, Status};
use crate::reach::Reach;
use crate::source::{Inputs, Source, Units, data_files, identified};
use crate::training::{Readings, StepError, Training};
use flows::FlowError;
use flows::device::Device;
use flows::scalar_field::ScalarField;
use folder::{Begun, Claim, Folder, Kept};
use metrics::Metric;
use ndarray::Array2;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Time between two checkpoints, however rarely the configuration asks for them.
const SAVE_AFTER: Duration = Duration::from_secs(60);

/// Values that the caller adds to each record of a run.
pub type Measured = Result<Vec<(&'static Metric, f64)>, Box<dyn std::error::Error + Send + Sync>>;

/// What is measured of a training at every record.
type Measure<'a, T> = Box<dyn FnMut(&T) -> Measured + 'a>;

/// What is drawn of a training at every record.
type Draw<'a, T> = Box<dyn FnMut(&T) -> Pictured + 'a>;

/// How a training begins.
type Begin<'a, C, T> = Box<dyn FnOnce(&C, Source, Device) -> Result<T, TrainError> + 'a>;

/// A run of a configuration: from the start, or from the newest checkpoint of its folder.
///
/// The same configuration, seed and arrays give the same records and parameters, resumed or not.
///
/// ```
/// use ndarray::Array2;
/// use train::{Configuration, FlowConfig, Run};
#[doc = concat!("let text = r#\"", include_str!("../../examples/small.toml"), "\"#;")]
/// let config = FlowConfig::parse(text, "small.toml", None, &["data={ kind = \"array\" }".into()])?;
/// let circle = Array2::from_shape_fn((100, 2), |(i, j)| (i as f64 * 0.0628 + j as f64 * 1.57).sin());
/// let trained = Run::new(config).data(circle).train()?;
/// let points = trained.model.sample(10, 64, 0)?;
/// assert_eq!(points.dim(), (10, 2));
/// # Ok::<(), train::TrainError>(())
/// ```
#[must_use = "a run begins with `train`"]
pub struct Run<'a, C: Configuration, T = <C as Configuration>::Training> {
    config: C,
    begin: Begin<'a, C, T>,
    inputs: Inputs,
    observers: Vec<Box<dyn Observer + 'a>>,
    measures: Vec<Measure<'a, T>>,
    draws: Vec<Draw<'a, T>>,
    formats: Vec<Format>,
    reading_share: Option<f64>,
    out: Option<PathBuf>,
    resume: bool,
    save_after: Duration,
    interrupt: Option<&'a AtomicBool>,
    device: Device,
    provenance: Map<String, Value>,
}

/// What a run leaves.
#[derive(Debug, Clone)]
pub struct Trained<M> {
    /// How it ended.
    pub outcome: Outcome,
    /// The averaged networks of its last finite state.
    pub model: M,
    /// Rows of the data that the training has not seen, without their condition, in the user's units, [k, d]; none but of
    /// data of the user's own.
    pub held_out: Option<Array2<f64>>,
    /// The conditions of these rows as the user has written them, [k, columns]; none without a condition.
    pub held_out_conditions: Option<Array2<f64>>,
    /// The right to change its folder, where it has one.
    pub lock: Option<Lock>,
    /// How far points can travel and how far they have to, of a flow whose points have a longest way.
    pub reach: Option<Reach>,
}

impl<'a, C: Configuration> Run<'a, C> {
    /// A run in memory on the CPU, that nobody watches.
    pub fn new(config: C) -> Self {
        Self {
            config,
            begin: Box::new(|config, source, device| config.begin(source, device)),
            inputs: Inputs::default(),
            observers: Vec::new(),
            measures: Vec::new(),
            draws: Vec::new(),
            formats: Vec::new(),
            reading_share: None,
            out: None,
            resume: false,
            save_after: SAVE_AFTER,
            interrupt: None,
            device: Device::Cpu,
            provenance: Map::new(),
        }
    }
}

impl<'a> Run<'a, FlowConfig> {
    /// Takes a network of your own for the critic, in native code; of the section `critic` the fields `hidden`,
    /// `activation` and `initialisation` are not read then. It comes before [`Run::measure`] and [`Run::picture`], which look
    /// at the training that it changes: those before it are dropped.
    ///
    /// A folder of such a run is loaded with
    /// [`FlowModel::load_with_critic`](crate::model::FlowModel::load_with_critic).
    pub fn critic<N>(self, network: N) -> Run<'a, FlowConfig, FlowRun<N>>
    where
        N: ScalarField + Clone + 'static,
    {
        let Self {
            config,
            inputs,
            observers,
            formats,
            reading_share,
            out,
            resume,
            save_after,
            interrupt,
            device,
            provenance,
            ..
        } = self;
        let begin: Begin<'a, FlowConfig, FlowRun<N>> = Box::new(move |config, source, device| {
            if device == Device::Cpu {
                return FlowRun::native(config, network, source);
            }
            let reason =
                "a critic's network of your own is trained by native code only: train on the CPU".into();
            Err(FlowError::Device { device: device.to_string(), reason }.into())
        });
        let (measures, draws) = (Vec::new(), Vec::new());
        Run {
            config,
            begin,
            inputs,
            observers,
            measures,
            draws,
            formats,
            reading_share,
            out,
            resume,
            save_after,
            interrupt,
            device,
            provenance,
        }
    }
}

impl<'a, C: Configuration, T: Training> Run<'a, C, T> {
    /// Trains on the rows of an array [n, d], whatever the configuration names as `data`, but for those that are held out
    /// ([`Points`](config::Points)).
    pub fn data(mut self, points: Array2<f64>) -> Self {
        self.inputs.data = Some(points);
        self
    }

    /// Begins with the rows of an array [n, d], whatever the configuration names as `initial`.
    pub fn initial(mut self, points: Array2<f64>) -> Self {
        self.inputs.initial = Some(points);
        self
    }

    /// The folder of the data sets of others, for configurations that name one.
    pub fn data_sets(mut self, folder: impl Into<PathBuf>) -> Self {
        self.inputs.data_sets = folder.into();
        self
    }

    /// Adds an observer; lend it with `&mut` to read it after the run.
    pub fn observer(mut self, observer: impl Observer + 'a) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// Adds values to every record, in the units of the training; the record has them in the user's
    /// ([`Units::value`]). The time that measuring takes is not counted.
    pub fn measure(mut self, measure: impl FnMut(&T) -> Measured + 'a) -> Self {
        self.measures.push(Box::new(measure));
        self
    }

    /// Adds pictures to records, for observers that show some ([`Observer::picture`]).
    pub fn picture(mut self, draw: impl FnMut(&T) -> Pictured + 'a) -> Self {
        self.draws.push(Box::new(draw));
        self
    }

    /// Other formats in which the folder of the run has its records. A run that goes on keeps up those that its folder has
    /// already, with the iterations that are made again once.
    pub fn formats(mut self, formats: &[Format]) -> Self {
        self.formats = formats.into();
        self
    }

    /// Leaves out readings, live indicators and what [`Run::measure`] and [`Run::picture`] add, that would take more than this share of the
    /// time of the training, such as 0.05; without this every record has them all. The first and the last record
    /// have them, and all until they took two seconds. Which others have them depends on the clock, their values do not.
    pub fn reading_share(mut self, share: f64) -> Self {
        self.reading_share = Some(share);
        self
    }

    /// Keeps configuration, records, checkpoints and outcome in a folder.
    pub fn out(mut self, folder: impl Into<PathBuf>) -> Self {
        self.out = Some(folder.into());
        self
    }

    /// Writes a checkpoint after so much time as well, whatever number of iterations the configuration names; without
    /// this, after a minute. The time of a checkpoint changes no number.
    pub fn save_after(mut self, time: Duration) -> Self {
        self.save_after = time;
        self
    }

    /// Ends the run early once `flag` is true: the iteration is finished and its state is written, so that the run can
    /// go on from there as if nothing had happened. It ends with [`Status::Interrupted`], which is no outcome of its
    /// folder.
    ///
    /// ```
    /// # use ndarray::Array2;
    /// # use train::{Configuration, FlowConfig, Run};
    /// use std::sync::atomic::AtomicBool;
    /// use train::outcome::Status;
    #[doc = concat!("# let text = r#\"", include_str!("../../examples/small.toml"), "\"#;")]
    /// # let config = FlowConfig::parse(text, "small.toml", None, &["data={ kind = \"array\" }".into()])?;
    /// # let circle = Array2::from_shape_fn((100, 2), |(i, j)| (i as f64 * 0.0628 + j as f64 * 1.57).sin());
    /// let stop = AtomicBool::new(false);
    /// // A signal handler, another thread or an observer may set it to true.
    /// let trained = Run::new(config).data(circle).interrupt(&stop).train()?;
    /// assert_eq!(trained.outcome.status, Status::Completed);
    /// # Ok::<(), train::TrainError>(())
    /// ```
    pub fn interrupt(mut self, flag: &'a AtomicBool) -> Self {
        self.interrupt = Some(flag);
        self
    }

    /// Whether to go on with the run that the folder holds, if it holds one. The data must be the same; for more
    /// iterations it can go on where the learning rates are constant.
    pub fn resume(mut self, resume: bool) -> Self {
        self.resume = resume;
        self
    }

    /// Where the arithmetic runs.
    pub fn device(mut self, device: Device) -> Self {
        self.device = device;
        self
    }

    /// What manifest.json says beside the version of its format.
    pub fn provenance(mut self, facts: Map<String, Value>) -> Self {
        self.provenance = facts;
        self
    }

    /// Trains.
    ///
    /// # Errors
    /// [`TrainError::Config`] for a value outside its domain; [`TrainError::Occupied`] when the folder holds anything
    /// and is not to be resumed; [`TrainError::OtherConfiguration`] when it is and configuration or arrays differ,
    /// [`TrainError::OtherData`] when a data file does; [`TrainError::InUse`] while another process trains there; data,
    /// device and file errors; what observers and measurements report. A divergence is an outcome, not an error.
    pub fn train(mut self) -> Result<Trained<T::Model>, TrainError> {
        let array = |array: &Option<Array2<f64>>, key, section| {
            array.as_ref().map(|array| identified(array, key, section)).transpose()
        };
        let data = array(&self.inputs.data, "data", self.config.data())?;
        let initial = array(&self.inputs.initial, "initial", self.config.initial())?;
        self.config = self.config.with_points(data, initial).located(Path::new(""));
        self.config.validate()?;
        let config = &self.config;
        let claim = self.out.take().map(|out| Claim::new(config, out, self.resume)).transpose()?;
        let beginning = claim.as_ref().map(|claim| claim.beginning(config.initial())).transpose()?.flatten();
        self.inputs.initial_run =
            beginning.as_ref().and_then(|beginning| beginning.path().map(Path::to_owned));
        let files = if claim.is_some() { data_files(config, &self.inputs)? } else { Vec::new() };
        claim.iter().try_for_each(|claim| claim.check(&files))?;
        let source = Source::new(config, &self.inputs)?;
        let (units, mut warnings) = (source.units.clone(), source.warnings.clone());
        let reach = config.reach(&source)?;
        warnings.extend(reach.iter().filter(|reach| !reach.suffices()).map(Reach::to_string));
        let kept = Kept::of(config, &source);
        let training = (self.begin)(config, source, self.device)?;
        let begun = claim
            .map(|claim| claim.begin(config, (&kept, beginning), &files, self.provenance))
            .transpose()?;
        let mut round = Round {
            length: *config.training(),
            folder: None,
            saved: None,
            save_after: self.save_after,
            interrupt: self.interrupt,
            training,
            units,
            seconds: 0.0,
            budget: Budget::new(self.reading_share),
            observers: self.observers,
        };
        let mut notices = begun.map_or(Ok(Vec::new()), |begun| round.settle(begun, &self.formats))?;
        notices.extend(warnings.into_iter().map(Notice::Warning));
        let (name, done, total) = (config.name(), round.training.iteration(), round.length.iterations);
        for observer in &mut round.observers {
            observer.begin(name, done, total);
            notices.iter().for_each(|notice| observer.notice(notice));
        }
        let status = round.iterate(&mut self.measures, &mut self.draws)?;
        round.save()?;
        let outcome = Outcome { status, iterations: round.training.iteration(), seconds: round.seconds };
        if let Some(folder) = round.folder.as_ref().filter(|_| outcome.status != Status::Interrupted) {
            folder.end(&outcome)?;
        }
        round.observers.iter_mut().try_for_each(|o| o.end(&outcome))?;
        let lock = round.folder.map(|folder| folder.lock);
        let Kept { held_out, held_out_conditions, .. } = kept;
        Ok(Trained { outcome, model: round.training.model()?, held_out, held_out_conditions, lock, reach })
    }
}

/// A training on its way.
struct Round<'a, T> {
    length: config::Training,
    folder: Option<Folder>,
    /// When the last state was written, and after how many iterations.
    saved: Option<(Instant, u64)>,
    save_after: Duration,
    interrupt: Option<&'a AtomicBool>,
    training: T,
    units: Units,
    /// Of all iterations so far.
    seconds: f64,
    budget: Budget,
    observers: Vec<Box<dyn Observer + 'a>>,
}

impl<T: Training> Round<'_, T> {
    /// Takes its place in a folder, with the state that is there; returns what the user should know.
    fn settle(&mut self, begun: Begun, formats: &[Format]) -> Result<Vec<Notice>, TrainError> {
        let Begun { folder, state, mut notices } = begun;
        if let Some(state) = state {
            self.seconds = folder::restore(&mut self.training, &state)?;
        }
        let file = folder.metrics();
        let records = JsonLines::open(&file, self.training.iteration())?;
        if records.set_aside() > 0 {
            let (records, file) = (records.set_aside(), JsonLines::superseded(&file));
            notices.push(Notice::SetAside { records, file });
        }
        let others = writers(formats, folder.path(), self.training.iteration())?;
        // The first observers, so that a record is on disk before another can fail.
        let files = std::iter::once(Box::new(records) as Box<dyn Observer>).chain(others);
        self.observers.splice(0..0, files);
        self.folder = Some(folder);
        Ok(notices)
    }

    fn iterate(
        &mut self,
        measures: &mut [Measure<'_, T>],
        draws: &mut [Draw<'_, T>],
    ) -> Result<Status, TrainError> {
        let length = self.length;
        let started = Instant::now();
        let mut warned = false;
        while self.training.iteration() < length.iterations {
            if self.interrupt.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
                return Ok(Status::Interrupted);
            }
            let begun = Instant::now();
            match self.training.step() {
                Ok(()) => {
                    let seconds = begun.elapsed().as_secs_f64();
                    self.seconds += seconds;
                    self.budget.trained(seconds);
                }
                Err(StepError::Diverged(reason)) => {
                    return Ok(Status::Diverged { step: self.training.iteration(), reason });
                }
                Err(StepError::Failed(error)) => return Err(error),
            }
            let step = self.training.iteration();
            self.observers.iter_mut().for_each(|o| o.tick(step));
            if step.is_multiple_of(length.log_every) || step == length.iterations {
                let live = step == length.iterations || self.budget.allows();
                let begun = Instant::now();
                let Readings { mut values, headline, stop, warning } = self.training.readings(live)?;
                for measure in measures.iter_mut().filter(|_| live) {
                    values.extend(measure(&self.training).map_err(TrainError::Measurement)?);
                }
                let mut pictures: Vec<Picture> = Vec::new();
                for draw in draws.iter_mut().filter(|_| live) {
                    pictures.extend(draw(&self.training).map_err(TrainError::Measurement)?);
                }
                let reading_seconds = live.then(|| begun.elapsed().as_secs_f64());
                if let Some(seconds) = reading_seconds {
                    self.budget.read(seconds);
                }
                for (metric, value) in &mut values {
                    *value = self.units.value(metric, *value);
                }
                let record = Record { step, seconds: self.seconds, reading_seconds, values, headline };
                self.observers.iter_mut().try_for_each(|o| o.record(&record))?;
                if let Some(sentence) = warning.filter(|_| !std::mem::replace(&mut warned, true)) {
                    let notice = Notice::Warning(sentence);
                    self.observers.iter_mut().for_each(|o| o.notice(&notice));
                }
                for picture in &pictures {
                    self.observers.iter_mut().try_for_each(|o| o.picture(step, picture))?;
                }
                if let Some(stop) = stop {
                    return Ok(Status::Stopped(stop));
                }
            }
            let last = self.saved.map_or(started, |(at, _)| at);
            if step.is_multiple_of(length.checkpoint_every) || last.elapsed() >= self.save_after {
                self.save()?;
            }
        }
        Ok(Status::Completed)
    }

    /// Writes the state, if it is not on disk already.
    fn save(&mut self) -> Result<(), TrainError> {
        let iteration = self.training.iteration();
        let Some(folder) = &self.folder else { return Ok(()) };
        if self.saved.is_some_and(|(_, saved)| saved == iteration) {
            return Ok(());
        }
        let path = folder.save(&self.training, self.seconds)?;
        self.saved = Some((Instant::now(), iteration));
        self.observers.iter_mut().try_for_each(|o| o.checkpoint(&path))
    }
}
