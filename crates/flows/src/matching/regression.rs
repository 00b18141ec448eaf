//! The regression of a velocity on the differences of pairs.

use crate::FlowError;
use crate::error::{expect_length, expect_rows};
use crate::real::Real;
use crate::velocity::{Velocity, VelocityTape};

/// Pairs of points with the times at which they are looked at.
#[derive(Debug, Clone, Copy)]
pub struct PairBatch<'a, T> {
    /// x₀, [n, d].
    pub start: &'a [T],
    /// x_T, [n, d].
    pub end: &'a [T],
    /// t/T of each pair, \[n\].
    pub shares: &'a [T],
    /// ξ, standard normal numbers, [n, d]; empty where σ = 0.
    pub noise: &'a [T],
}

/// E‖v(x_t, t) − (x_T − x₀)/T‖² of a velocity network and its gradient.
#[derive(Debug, Clone)]
pub struct Regression<T = f32> {
    velocity: Velocity,
    horizon: f64,
    sigma: f64,
    tape: VelocityTape<T>,
    positions: Vec<T>,
    times: Vec<T>,
    cotangent: Vec<T>,
}

impl<T: Real> Regression<T> {
    /// The regression of `velocity` over paths of the duration `horizon`, with noise of deviation `sigma` around them.
    pub fn new(velocity: Velocity, horizon: f64, sigma: f64) -> Self {
        let tape = VelocityTape::default();
        let (positions, times, cotangent) = (Vec::new(), Vec::new(), Vec::new());
        Self { velocity, horizon, sigma, tape, positions, times, cotangent }
    }

    /// The velocity.
    pub fn velocity(&self) -> &Velocity {
        &self.velocity
    }

    /// The mean over the pairs of ‖v(x_t, t) − (x_T − x₀)/T‖², in length²/time², with its gradient.
    ///
    /// Complexity: one evaluation of the network and one pullback for all pairs together.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit.
    ///
    /// ```
    /// use flows::{activation::Activation, matching::{PairBatch, Regression}, velocity::Velocity};
    /// let velocity = Velocity::new(1, &[4], Activation::Tanh)?;
    /// // A network of zeros: v = 0, so that the loss is (3 − 1)².
    /// let parameters = vec![0.0_f64; velocity.net().parameter_count()];
    /// let pair = PairBatch { start: &[1.0], end: &[3.0], shares: &[0.5], noise: &[] };
    /// let mut gradient = vec![0.0; parameters.len()];
    /// let loss = Regression::new(velocity, 1.0, 0.0).gradient(&parameters, pair, &mut gradient)?;
    /// assert_eq!(loss, 4.0);
    /// # Ok::<(), flows::FlowError>(())
    /// ```
    pub fn gradient(
        &mut self,
        parameters: &[T],
        pairs: PairBatch<'_, T>,
        gradient: &mut [T],
    ) -> Result<f64, FlowError> {
        let dim = self.velocity.dim();
        let rows = expect_rows("the initial points of the pairs", pairs.start.len(), dim)?;
        expect_length("the ends of the pairs", pairs.end.len(), pairs.start.len())?;
        expect_length("the times of the pairs", pairs.shares.len(), rows)?;
        let numbers = if self.sigma == 0.0 { 0 } else { pairs.start.len() };
        expect_length("the noise of the pairs", pairs.noise.len(), numbers)?;
        self.place(pairs, dim);
        self.velocity.evaluate_at(parameters, &self.positions, &self.times, &mut self.tape)?;

        let (rate, mean) = (T::of(1.0 / self.horizon), T::of(2.0 / rows.max(1) as f64));
        let differences = pairs.end.iter().zip(pairs.start).map(|(&end, &start)| rate * (end - start));
        self.cotangent.clear();
        self.cotangent
            .extend(self.tape.velocity().iter().zip(differences).map(|(&v, difference)| v - difference));
        let squares: f64 = self.cotangent.iter().map(|residual| residual.wide() * residual.wide()).sum();
        self.cotangent.iter_mut().for_each(|residual| *residual *= mean);
        gradient.fill(T::zero());
        self.velocity.pull_back(parameters, &mut self.tape, &self.cotangent, gradient, None)?;
        Ok(squares / rows.max(1) as f64)
    }

    /// x_t and t of every pair.
    fn place(&mut self, pairs: PairBatch<'_, T>, dim: usize) {
        self.positions.clear();
        let ends = pairs.start.chunks_exact(dim).zip(pairs.end.chunks_exact(dim));
        for ((start, end), &share) in ends.zip(pairs.shares) {
            let between = start.iter().zip(end).map(|(&start, &end)| start + share * (end - start));
            self.positions.extend(between);
        }
        let sigma = T::of(self.sigma);
        self.positions.iter_mut().zip(pairs.noise).for_each(|(x, &xi)| *x += sigma * xi);
        let horizon = T::of(self.horizon);
        self.times.clear();
        self.times.extend(pairs.shares.iter().map(|&share| horizon * share));
    }
}
