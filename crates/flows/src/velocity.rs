//! A velocity v(x, t) that is a network itself.

use crate::FlowError;
use crate::activation::Activation;
use crate::error::{expect_length, expect_rows};
use crate::generator::{
    Generator, GeneratorForm, GeneratorInitialisation, GeneratorOutput, GeneratorTape, Statistics,
};
use crate::hessian::by_rows;
use crate::real::Real;
use ndarray::Array3;
use rand::Rng;

/// A velocity v: R^d × [0, T] → R^d given by a network on z = (x, t), without a potential.
#[derive(Debug, Clone, PartialEq)]
pub struct Velocity {
    net: Generator,
    initialisation: GeneratorInitialisation,
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
        Ok(Self { net, initialisation: GeneratorInitialisation::default() })
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
        self.net.output()
    }

    /// The network on (x, t).
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
        for (row, t) in x.chunks_exact(dim).zip(times) {
            tape.input.extend_from_slice(row);
            tape.input.push(t);
        }
        self.net.evaluate(parameters, &tape.input, Statistics::Batch, &mut tape.net)
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
        let dim = self.dim();
        let VelocityTape { net, input, input_gradient } = tape;
        let Some(position_gradient) = position_gradient else {
            return self.net.pull_back(parameters, net, cotangent, parameter_gradient, None);
        };
        expect_length("the gradient of the positions", position_gradient.len(), cotangent.len())?;
        input_gradient.resize(input.len(), T::zero());
        self.net.pull_back(parameters, net, cotangent, parameter_gradient, Some(input_gradient))?;
        for (out, row) in position_gradient.chunks_exact_mut(dim).zip(input_gradient.chunks_exact(dim + 1)) {
            out.iter_mut().zip(row).for_each(|(out, &d)| *out = d);
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
}

impl<T: Real> VelocityTape<T> {
    /// v at each point, [n, d].
    pub fn velocity(&self) -> &[T] {
        self.net.points()
    }
}
