//! The loop: critic updates, then the generator's update.

use super::critic::{CriticReport, Critics};
use super::fitted::Fitted;
use crate::TrainError;
use crate::backend;
use crate::checkpoint::{State, Stored};
use crate::config::{GeneratorConfig, Update};
use crate::model::{GeneratorModel, Initial};
use crate::optim::Adam;
use crate::player::{finite, usable};
use crate::source::{Source, name};
use crate::training::StepError;
use datasets::stream;
use flows::device::Device;
use flows::generation::Gradients;
use flows::generator::{Generator, RunningStatistics, fit, non_saturating, push};
use ndarray::{Array2, ArrayView2};
use rand::RngExt;

/// What one iteration measured on its own minibatches.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StepReport {
    /// The last critic update.
    pub critic: CriticReport,
    /// RMS ‖∇φ‖ over the generated points; for exact Kantorovich potentials it is W2.
    pub slope_rms: f64,
    /// mean‖G(z) − ζ‖² before the first generator update of a flow step; mean φ(G(z)) for the other updates.
    pub generator_first: f64,
    /// The same before the last of the K updates.
    pub generator_last: f64,
}

/// The state of a run in memory.
///
/// One iteration is one of algorithm 1 of Huang and Malik, arXiv 2406.13619: critic updates on fresh minibatches, then
/// ζ = y − ε∇φ(y) for y = G(z) and K updates of mean‖G(z) − ζ‖² on the same z. The generator runs with the statistics
/// of its batches; its running averages, which [`Trainer::generate`] uses, move with every generator update, and so
/// does the moving average of all its numbers.
pub struct Trainer {
    config: GeneratorConfig,
    source: Source,
    critics: Critics,
    generator: Generator,
    /// The generator as it is trained.
    pub current: Fitted,
    /// Its moving average.
    pub average: Fitted,
    adam: Adam,
    previous: Option<Previous>,
    /// Iterations done.
    pub iteration: u64,
    gradients: Box<dyn Gradients>,
}

/// The particles' previous slopes are ∇φ(G(z)) with these: what two-step schemes remember.
struct Previous {
    phi: Vec<f32>,
    generator: Vec<f32>,
}

impl Trainer {
    /// Draws initial parameters and prepares the backend of `device`.
    ///
    /// # Errors
    /// [`TrainError::Flow`] for networks that cannot be built and a device that is not there.
    pub fn new(config: &GeneratorConfig, source: Source, device: Device) -> Result<Self, TrainError> {
        let dim = source.dim();
        let generator = config.generator.build(source.initial.dim(), dim)?;
        let current = Fitted {
            parameters: config
                .generator
                .initialisation
                .draw(&generator, &mut stream(config.seed, name::GENERATOR, 0)),
            statistics: RunningStatistics::new(&generator),
        };
        Ok(Self {
            critics: Critics::new(config, dim)?,
            adam: Adam::new(generator.parameter_count()),
            average: current.clone(),
            current,
            config: config.clone(),
            previous: None,
            iteration: 0,
            gradients: backend::of_generator(device)?,
            source,
            generator,
        })
    }

    /// One iteration.
    ///
    /// # Errors
    /// [`StepError::Diverged`] when an objective or a gradient is not finite; the update that it belongs to is not
    /// made.
    pub fn step(&mut self) -> Result<StepReport, StepError> {
        let mut rng = stream(self.config.seed, name::ITERATION, self.iteration);
        let training = self.config.training;
        let progress = training.progress(self.iteration);
        let mut report = StepReport::default();
        for _ in 0..training.critic_updates {
            let z = self.source.initial.batch(training.batch, &mut rng)?;
            let x = self.source.data.batch(training.batch, &mut rng)?;
            let mixing: Vec<f32> = (0..2 * training.batch).map(|_| rng.random()).collect();
            let y = self.gradients.generate(&self.generator, &self.current.parameters, &z)?;
            let settings = &training.critic_optimiser;
            let rate = settings.rate(progress);
            report.critic = self.critics.ascend(&mut *self.gradients, &y, &x, &mixing, settings, rate)?;
        }
        let z = self.source.initial.batch(training.batch, &mut rng)?;
        let (phi, effective) = self.critics.phi()?;
        // Before this step's own points, to which the generator's updates belong.
        let earlier = match &self.previous {
            Some(previous) => {
                let y = self.gradients.generate(&self.generator, &previous.generator, &z)?;
                Some(self.gradients.judge(&phi, &previous.phi, &y)?.slopes)
            }
            None => None,
        };
        let mut generated = self.gradients.generate(&self.generator, &self.current.parameters, &z)?;
        let judged = self.gradients.judge(&phi, &effective, &generated)?;
        let squares: f64 = judged.slopes.iter().map(|&g| f64::from(g) * f64::from(g)).sum();
        report.slope_rms = (squares / training.batch as f64).sqrt();
        let rate = training.optimiser.rate(progress);
        match self.config.update {
            Update::Flow { epsilon, persistence, scheme } => {
                let (now, before) = scheme.weights(earlier.is_some());
                let mut aims = moved(&generated, &judged.slopes, epsilon * now);
                if let Some(earlier) = earlier {
                    aims = moved(&aims, &earlier, epsilon * before);
                }
                let saved = scheme
                    .is_two_step()
                    .then(|| Previous { phi: effective, generator: self.current.parameters.clone() });
                for update in 0..persistence {
                    if update > 0 {
                        generated = self.gradients.generate(&self.generator, &self.current.parameters, &z)?;
                    }
                    let (value, cotangent) = fit(&generated, &aims, self.generator.output())?;
                    finite("objective of the generator", value)?;
                    if update == 0 {
                        report.generator_first = value;
                    }
                    report.generator_last = value;
                    self.descend(&cotangent, rate)?;
                }
                self.previous = saved;
            }
            Update::Direct | Update::NonSaturating => {
                let value = judged.values.iter().map(|&v| f64::from(v)).sum::<f64>();
                report.generator_first = value / training.batch as f64;
                report.generator_last = report.generator_first;
                finite("objective of the generator", value)?;
                let weights: Vec<f32> = match self.config.update {
                    Update::NonSaturating => non_saturating(&judged.values),
                    _ => vec![1.0; training.batch],
                };
                let cotangent = push(&weights, &judged.slopes, self.generator.output())?;
                self.descend(&cotangent, rate)?;
            }
        }
        self.iteration += 1;
        Ok(report)
    }

    /// One descent step of the generator along the pulled-back cotangent of the points last generated.
    fn descend(&mut self, cotangent: &[f32], rate: f64) -> Result<(), StepError> {
        let mut gradient = vec![0.0; self.current.parameters.len()];
        let training = &self.config.training;
        let parameters = &self.current.parameters;
        self.gradients.generator_gradient(&self.generator, parameters, cotangent, &mut gradient)?;
        usable(&gradient)?;
        if self.config.generator.batch_norm {
            let momentum = self.config.generator.momentum;
            self.gradients.update_statistics(&mut self.current.statistics, momentum)?;
        }
        self.adam.step(&training.optimiser, rate, &mut self.current.parameters, &gradient)?;
        Ok(self.average.follow(&self.current, training.average, self.adam.steps)?)
    }

    /// The data and the initial points.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The averaged G at the rows of `z`, with the running averages: each point by itself; all in the units of the
    /// training.
    ///
    /// # Errors
    /// [`TrainError::Config`] when `z` has another dimension than the start of this run.
    pub fn generate(&self, z: ArrayView2<'_, f64>) -> Result<Array2<f64>, TrainError> {
        self.average.generate(&self.generator, z)
    }

    /// The averaged generator.
    pub(super) fn model(&self) -> GeneratorModel {
        GeneratorModel {
            config: self.config.clone(),
            iteration: self.iteration,
            units: self.source.units.clone(),
            initial: Initial::Drawn(self.source.initial.clone()),
            generator: self.generator.clone(),
            fitted: self.average.clone(),
        }
    }

    pub(super) fn store(&self, state: &mut State) {
        state.counter("input", self.generator.input() as u64);
        state.counter("output", self.generator.output() as u64);
        self.source.units.store(state);
        self.current.store("generator", state);
        self.average.store("average", state);
        state.adam("generator", &self.adam);
        self.critics.store(state);
        if let Some(previous) = &self.previous {
            state.floats("previous.phi", &previous.phi);
            state.floats("previous.generator", &previous.generator);
        }
    }

    pub(super) fn restore(&mut self, stored: &Stored, iteration: u64) -> Result<(), TrainError> {
        let (_, phi) = self.critics.phi()?;
        let previous = |name: &str, like: &[f32]| stored.fitting(&format!("previous.{name}"), like.len());
        self.previous = if stored.has("previous.phi")? {
            let generator = previous("generator", &self.current.parameters)?;
            Some(Previous { phi: previous("phi", &phi)?, generator })
        } else {
            None
        };
        self.current = self.current.stored("generator", stored)?;
        self.average = self.average.stored("average", stored)?;
        self.adam = stored.adam("generator", &self.adam)?;
        self.critics.restore(stored)?;
        self.iteration = iteration;
        Ok(())
    }
}

/// y − rate·slope.
fn moved(points: &[f32], slopes: &[f32], rate: f64) -> Vec<f32> {
    points.iter().zip(slopes).map(|(&y, &slope)| y - rate as f32 * slope).collect()
}
