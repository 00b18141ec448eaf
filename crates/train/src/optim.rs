//! Adam with a state that can be saved, and learning-rate schedules.

use crate::config::{Optimiser, Schedule};
use flows::{FlowError, parallel};
use simd::{Instructions, Vectorised};

/// The moments and the step count of Adam.
///
/// m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², θ ← θ − η·m̂/(√v̂ + ε) with m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ)
/// (Kingma & Ba 2015, algorithm 1).
#[derive(Debug, Clone, PartialEq)]
pub struct Adam {
    /// First moment m.
    pub first: Vec<f32>,
    /// Second moment v.
    pub second: Vec<f32>,
    /// Steps taken, t.
    pub steps: u64,
}

impl Adam {
    /// Zero moments for `count` parameters.
    pub fn new(count: usize) -> Self {
        Self { first: vec![0.0; count], second: vec![0.0; count], steps: 0 }
    }

    /// One step with learning rate `rate`.
    ///
    /// ```
    /// use train::{config::Optimiser, optim::Adam};
    /// let settings = Optimiser {
    ///     learning_rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, schedule: Default::default(),
    /// };
    /// let mut theta = [1.0_f32];
    /// Adam::new(1).step(&settings, 0.1, &mut theta, &[5.0])?;
    /// // The first step is the learning rate against the sign of the gradient, whatever its size.
    /// assert!((theta[0] - 0.9).abs() < 1e-6);
    /// # Ok::<(), flows::FlowError>(())
    /// ```
    ///
    /// # Errors
    /// [`FlowError::Shape`] when parameters, gradient and moments differ in length; nothing is changed.
    pub fn step(
        &mut self,
        settings: &Optimiser,
        rate: f64,
        parameters: &mut [f32],
        gradient: &[f32],
    ) -> Result<(), FlowError> {
        for (what, found) in [
            ("the parameters of the optimiser", parameters.len()),
            ("the gradient of the optimiser", gradient.len()),
            ("the second moment of the optimiser", self.second.len()),
        ] {
            if found != self.first.len() {
                return Err(FlowError::Shape { what, found, expected: self.first.len() });
            }
        }
        self.steps += 1;
        // Powers saturate at 0 long before the exponent could overflow.
        let power = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let moments = self.first.chunks_mut(PIECE).zip(self.second.chunks_mut(PIECE));
        let pieces = parameters.chunks_mut(PIECE).zip(gradient.chunks(PIECE)).zip(moments);
        let steps = pieces.map(|((parameters, gradient), moments)| Step {
            decays: (settings.beta1 as f32, settings.beta2 as f32),
            first_scale: (rate / (1.0 - settings.beta1.powi(power))) as f32,
            second_scale: (1.0 / (1.0 - settings.beta2.powi(power))) as f32,
            epsilon: settings.epsilon as f32,
            moments,
            parameters,
            gradient,
        });
        parallel::run(2 * parallel::PASS * gradient.len(), steps.collect());
        Ok(())
    }
}

/// Parameters of a piece that one thread updates.
const PIECE: usize = 1 << 14;

/// One pass over some parameters and all that belongs to them.
struct Step<'a> {
    /// β₁ and β₂.
    decays: (f32, f32),
    /// η/(1−β₁ᵗ).
    first_scale: f32,
    /// 1/(1−β₂ᵗ).
    second_scale: f32,
    epsilon: f32,
    moments: (&'a mut [f32], &'a mut [f32]),
    parameters: &'a mut [f32],
    gradient: &'a [f32],
}

impl Vectorised for Step<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Instructions>(self, _: I) {
        let Self { decays: (b1, b2), first_scale, second_scale, epsilon, moments, .. } = self;
        let moments = moments.0.iter_mut().zip(moments.1);
        for ((theta, &g), (m, v)) in self.parameters.iter_mut().zip(self.gradient).zip(moments) {
            *m = b1 * *m + (1.0 - b1) * g;
            *v = b2 * *v + (1.0 - b2) * g * g;
            *theta -= first_scale * *m / ((*v * second_scale).sqrt() + epsilon);
        }
    }
}

impl Optimiser {
    /// The learning rate at progress s ∈ [0, 1] of the run.
    pub fn rate(&self, progress: f64) -> f64 {
        let s = progress.clamp(0.0, 1.0);
        self.learning_rate
            * match self.schedule {
                Schedule::Constant => 1.0,
                Schedule::Cosine { end } => {
                    end + (1.0 - end) * 0.5 * (1.0 + (std::f64::consts::PI * s).cos())
                }
                Schedule::Linear { start, end } if s > start => {
                    1.0 + (end - 1.0) * (s - start) / (1.0 - start).max(f64::MIN_POSITIVE)
                }
                Schedule::Linear { .. } => 1.0,
                // The end belongs to the last part.
                Schedule::Steps { parts, factor } => {
                    factor.powf((parts as f64 * s).floor().min(parts as f64 - 1.0))
                }
            }
    }
}

#[cfg(test)]
mod tests {
    use super::Adam;
    use crate::config::{Optimiser, Schedule};

    const SETTINGS: Optimiser =
        Optimiser { learning_rate: 0.1, beta1: 0.5, beta2: 0.9, epsilon: 1e-8, schedule: Schedule::Constant };

    #[test]
    fn three_steps_match_the_formula_by_hand() {
        let mut theta = [0.0_f32];
        let mut adam = Adam::new(1);
        let (mut m, mut v, mut expected) = (0.0_f64, 0.0_f64, 0.0_f64);
        for (t, g) in [1.0_f64, -2.0, 0.5].into_iter().enumerate() {
            adam.step(&SETTINGS, 0.1, &mut theta, &[g as f32]).unwrap();
            m = 0.5 * m + 0.5 * g;
            v = 0.9 * v + 0.1 * g * g;
            let t = t as i32 + 1;
            expected -= 0.1 * (m / (1.0 - 0.5_f64.powi(t))) / ((v / (1.0 - 0.9_f64.powi(t))).sqrt() + 1e-8);
        }
        // Three f32 steps of size at most 0.1: a few units of 1e-8 each.
        assert!((f64::from(theta[0]) - expected).abs() < 1e-7);
    }

    #[test]
    fn lengths_that_differ_are_errors_and_change_nothing() {
        let (mut adam, mut theta) = (Adam::new(2), [1.0_f32, 2.0]);
        assert!(adam.step(&SETTINGS, 0.1, &mut theta, &[1.0]).is_err());
        assert!(adam.step(&SETTINGS, 0.1, &mut theta[..1], &[1.0]).is_err());
        assert_eq!((adam, theta), (Adam::new(2), [1.0, 2.0]));
    }

    #[test]
    fn schedules_start_at_one_and_end_where_they_say() {
        for (schedule, middle, end) in [
            (Schedule::Constant, 1.0, 1.0),
            (Schedule::Cosine { end: 0.02 }, 0.51, 0.02),
            (Schedule::Linear { start: 0.5, end: 0.1 }, 1.0, 0.1),
            // 1, ½, ¼, ⅛, 1/16: the middle lies in the third part.
            (Schedule::Steps { parts: 5, factor: 0.5 }, 0.25, 0.0625),
        ] {
            let rate = |s| Optimiser { schedule, ..SETTINGS }.rate(s) / 0.1;
            for (s, expected) in [(0.0, 1.0), (0.5, middle), (1.0, end)] {
                assert!((rate(s) - expected).abs() < 1e-12, "{schedule:?} at {s}: {}", rate(s));
            }
        }
    }
}
