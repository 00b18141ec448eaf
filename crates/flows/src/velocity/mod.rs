//! A velocity v(x, t) that is a network itself.

mod gaussian;

pub use gaussian::GaussianVelocity;

use crate::FlowError;
use crate::activation::Activation;
use crate::error::{array2, expect_length, expect_rows};
use crate::generator::{
    Generator, GeneratorForm, GeneratorInitialisation, GeneratorOutput, GeneratorTape, Statistics,
};
use crate::hessian::by_rows;
use crate::real::Real;
use ndarray::{Array2, Array3};
use rand::Rng;

/// A velocity v: R^d × [0, T] → R^d given by a network on z = (x, t), without a potential.
///
/// With a base it is v = v* + Uᵀ·N(U·(x − m_s), t): the network N sees and moves the coordinates along the plane in which the
/// ends lie, and has to learn only what is not Gaussian.
#[derive(Debug, Clone, PartialEq)]
pub struct Velocity {
    net: Generator,
    initialisation: GeneratorInitialisation,
    base: Option<Box<GaussianVelocity>>,
}

impl Velocity {
    /// A velocity on R^`dim` with the given hidden widths.
    ///
    /// # Errors
    /// [`FlowError::Specification`] when the widths do not describe a network.
    ///
    /// ```
    /// use flows::{activation::Activation, velocity::Velocity};
    /// let velocity = Velocity::new(2, &[64; 3], Activation::Tanh)?;
    /// assert_eq!((velocity.dim(), velocity.net().input()), (2, 3));
    /// # Ok::<(), flows::FlowError>(())
    /// ```
    pub fn new(dim: usize, hidden: &[usize], activation: Activation) -> Result<Self, FlowError> {
        let form = GeneratorForm {
            activation,
            batch_norm: false,
            residual: false,
            output: GeneratorOutput::Identity,
        };
        let net = Generator::new(dim + 1, hidden, dim, form)?;
        Ok(Self { net, initialisation: GeneratorInitialisation::default(), base: None })
    }

    /// A velocity that departs from that between two Gaussians.
    ///
    /// # Errors
    /// As [`Velocity::new`].
    pub fn departing(
        base: GaussianVelocity,
        hidden: &[usize],
        activation: Activation,
    ) -> Result<Self, FlowError> {
        let rank = base.rank();
        Ok(Self { base: Some(Box::new(base)), ..Self::new(rank, hidden, activation)? })
    }

    /// The same velocity with initial parameters drawn in another way.
    #[must_use]
    pub fn initialised(self, initialisation: GeneratorInitialisation) -> Self {
        Self { initialisation, ..self }
    }

    /// Initial parameters.
    pub fn initial<T: Real>(&self, rng: &mut impl Rng) -> Vec<T> {
        self.initialisation.draw(&self.net, rng)
    }

    /// The dimension d of space.
    pub fn dim(&self) -> usize {
        self.base().map_or(self.net.output(), GaussianVelocity::dim)
    }

    /// What the network departs from.
    pub fn base(&self) -> Option<&GaussianVelocity> {
        self.base.as_deref()
    }

    /// The network on (x, t), or with a base on (U·(x − m_s), t).
    pub fn net(&self) -> &Generator {
        &self.net
    }

    /// Evaluates v at the rows of `x`, [n, d], and one time `t`.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit.
    pub fn evaluate<T: Real>(
        &self,
        parameters: &[T],
        x: &[T],
        t: T,
        tape: &mut VelocityTape<T>,
    ) -> Result<(), FlowError> {
        self.evaluate_rows(parameters, x, std::iter::repeat(t), tape)
    }

    /// Evaluates v at each row of `x`, [n, d], and its own time of `t`, \[n\].
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit.
    pub fn evaluate_at<T: Real>(
        &self,
        parameters: &[T],
        x: &[T],
        t: &[T],
        tape: &mut VelocityTape<T>,
    ) -> Result<(), FlowError> {
        expect_length("the batch of positions", x.len(), t.len() * self.dim())?;
        self.evaluate_rows(parameters, x, t.iter().copied(), tape)
    }

    fn evaluate_rows<T: Real>(
        &self,
        parameters: &[T],
        x: &[T],
        times: impl Iterator<Item = T>,
        tape: &mut VelocityTape<T>,
    ) -> Result<(), FlowError> {
        let dim = self.dim();
        expect_rows("the batch of positions", x.len(), dim)?;
        tape.input.clear();
        tape.based.clear();
        if let Some(base) = &self.base {
            return self.evaluate_based(base, parameters, (x, times), tape);
        }
        for (row, t) in x.chunks_exact(dim).zip(times) {
            tape.input.extend_from_slice(row);
            tape.input.push(t);
        }
        self.net.evaluate(parameters, &tape.input, Statistics::Batch, &mut tape.net)
    }

    fn evaluate_based<T: Real>(
        &self,
        base: &GaussianVelocity,
        parameters: &[T],
        (x, times): (&[T], impl Iterator<Item = T>),
        tape: &mut VelocityTape<T>,
    ) -> Result<(), FlowError> {
        let (shares, rows) = base.deviations(x, times)?;
        let along = base.along(rows.view());
        for (row, &share) in along.rows().into_iter().zip(&shares) {
            tape.input.extend(row.iter().map(|&w| T::of(w)));
            tape.input.push(T::of(share * base.horizon()));
        }
        self.net.evaluate(parameters, &tape.input, Statistics::Batch, &mut tape.net)?;
        let moved = base.across(wide(tape.net.points(), base.rank())?.view());
        let velocity = base.derivative((rows.view(), along.view()), &shares) + base.drift() + moved;
        tape.based.extend(velocity.iter().map(|&v| T::of(v)));
        tape.shares = shares;
        Ok(())
    }

    /// Adds ∂ℓ/∂parameters to `parameter_gradient` and, if asked, writes ∂ℓ/∂x, [n, d], for the cotangent ∂ℓ/∂v, [n,
    /// d], of the last evaluation.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit the evaluation.
    pub fn pull_back<T: Real>(
        &self,
        parameters: &[T],
        tape: &mut VelocityTape<T>,
        cotangent: &[T],
        parameter_gradient: &mut [T],
        position_gradient: Option<&mut [T]>,
    ) -> Result<(), FlowError> {
        let VelocityTape { net, input, input_gradient, shares, .. } = tape;
        // What the cotangent is for the network, and in f64 for the base.
        let based = match &self.base {
            Some(base) => {
                let rows = wide(cotangent, base.dim())?;
                let along = base.along(rows.view());
                Some((base, rows, along))
            }
            None => None,
        };
        let within: Vec<T> = based.iter().flat_map(|(_, _, along)| along.iter().map(|&c| T::of(c))).collect();
        let cotangent = if based.is_some() { &within } else { cotangent };
        let Some(position_gradient) = position_gradient else {
            return self.net.pull_back(parameters, net, cotangent, parameter_gradient, None);
        };
        let points = input.len() / self.net.input();
        expect_length("the gradient of the positions", position_gradient.len(), points * self.dim())?;
        input_gradient.resize(input.len(), T::zero());
        self.net.pull_back(parameters, net, cotangent, parameter_gradient, Some(input_gradient))?;
        let rank = self.net.output();
        let inner = input_gradient.chunks_exact(rank + 1).flat_map(|row| row.iter().take(rank));
        if let Some((base, rows, along)) = based {
            let inner = wide(&inner.copied().collect::<Vec<T>>(), rank)?;
            let gradient = base.derivative((rows.view(), along.view()), shares) + base.across(inner.view());
            position_gradient.iter_mut().zip(&gradient).for_each(|(out, &d)| *out = T::of(d));
        } else {
            position_gradient.iter_mut().zip(inner).for_each(|(out, &d)| *out = d);
        }
        Ok(())
    }
}

impl Velocity {
    /// ∂vᵢ/∂xⱼ at the rows of `x`, [n, d], and one time: [n, d, d].
    ///
    /// Complexity: d pullbacks.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit.
    pub fn jacobians<T: Real>(
        &self,
        parameters: &[T],
        x: &[T],
        t: T,
        tape: &mut VelocityTape<T>,
    ) -> Result<Array3<T>, FlowError> {
        self.evaluate(parameters, x, t, tape)?;
        let mut unused = vec![T::zero(); self.net.parameter_count()];
        by_rows(x.len(), self.dim(), |cotangent, row| {
            self.pull_back(parameters, tape, cotangent, &mut unused, Some(row))
        })
    }
}

/// v at a batch of points, with what its pullback needs; buffers are reused.
#[derive(Debug, Clone, Default)]
pub struct VelocityTape<T> {
    net: GeneratorTape<T>,
    /// (x, t) of every point.
    input: Vec<T>,
    input_gradient: Vec<T>,
    /// t/T of every point and v, where there is a base.
    shares: Vec<f64>,
    based: Vec<T>,
}

impl<T: Real> VelocityTape<T> {
    /// v at each point, [n, d].
    pub fn velocity(&self) -> &[T] {
        if self.based.is_empty() { self.net.points() } else { &self.based }
    }
}

/// Rows of `dim` numbers in double precision.
fn wide<T: Real>(rows: &[T], dim: usize) -> Result<Array2<f64>, FlowError> {
    array2("the rows of a velocity", rows.iter().map(|x| x.wide()).collect(), dim)
}
