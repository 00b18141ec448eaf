//! The potential U(x, t) and the velocity it defines.

use crate::FlowError;
use crate::activation::Activation;
use crate::convolution::ConvolutionDescription;
use crate::error::{array2, expect_columns, flat};
use crate::mlp::{Cotangent, Initialisation, Mlp, Order, Output};
use crate::network::{Network, Tape, Weights};
use crate::real::Real;
use crate::scalar_field::{Evaluation, ScalarField};
use ndarray::{Array1, Array2, ArrayView2};
use rand::Rng;

/// A potential U: R^d × [0, T] → R given by a network of x and t; the velocity is v = −∇ₓU/λ.
///
/// Source: arXiv 2407.11901, eq. (2): with running cost (λ/2)|v|² the Hamiltonian is H(x, p) = |p|²/(2λ) and the
/// optimal velocity −∂H/∂p at p = ∇U.
#[derive(Debug, Clone, PartialEq)]
pub struct Potential {
    dim: usize,
    net: Network,
}

impl Potential {
    /// A potential on R^`dim` with the given hidden widths.
    ///
    /// # Errors
    /// [`FlowError::Specification`] when the widths do not describe a network, or for a ReLU, whose ∇ₓU jumps.
    ///
    /// ```
    /// use flows::{activation::Activation, potential::Potential};
    /// let potential = Potential::new(12, &[48; 5], Activation::Tanh)?;
    /// assert_eq!(potential.dim(), 12);
    /// assert_eq!(potential.net().head().input(), 13);
    /// # Ok::<(), flows::FlowError>(())
    /// ```
    pub fn new(dim: usize, hidden: &[usize], activation: Activation) -> Result<Self, FlowError> {
        if activation == Activation::Relu {
            return Err(FlowError::Specification {
                what: "the activation of the potential".into(),
                found: "relu".into(),
                remedy: "take tanh or softplus, since the velocity −∇U/λ of a ReLU network is discontinuous"
                    .into(),
            });
        }
        Ok(Self { dim, net: Mlp::new(dim + 1, hidden, activation, Output::Identity)?.into() })
    }

    /// A potential of images of `dim` numbers: the perceptron of these hidden widths sees their features and the time. A ReLU
    /// is taken, since ∇ₓU jumps where the pooling chooses another pixel whatever the activation.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for a value outside its domain, and for images of another number of values.
    pub fn of_images(
        dim: usize,
        image: &ConvolutionDescription,
        hidden: &[usize],
        activation: Activation,
    ) -> Result<Self, FlowError> {
        Ok(Self { dim, net: Network::of_images(image, (dim, 1), hidden, activation, Output::Identity)? })
    }

    /// The same potential with initial parameters drawn in another way.
    #[must_use]
    pub fn initialised(self, initialisation: Initialisation) -> Self {
        Self { net: self.net.initialised(initialisation), ..self }
    }

    /// Initial parameters.
    pub fn initial<T: Real>(&self, rng: &mut impl Rng) -> Vec<T> {
        self.net.initial(rng)
    }

    /// The dimension d of space.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The network of x and t.
    pub fn net(&self) -> &Network {
        &self.net
    }

    /// U, \[n\], and its derivatives at the rows of `x`, [n, d], and one time.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the parameters or the points are not of the potential.
    ///
    /// ```
    /// use flows::{activation::Activation, potential::Potential};
    /// // U(x, t) = tanh(x).
    /// let potential = Potential::new(1, &[1], Activation::Tanh)?;
    /// let (value, slopes) = potential.at(&[1.0, 0.0, 0.0, 1.0, 0.0], ndarray::array![[0.0]].view(), 0.5)?;
    /// assert_eq!((value[0], slopes.gradient[[0, 0]], slopes.time[0]), (0.0, 1.0, 0.0));
    /// # Ok::<(), flows::FlowError>(())
    /// ```
    pub fn at<T: Real>(
        &self,
        parameters: &[T],
        x: ArrayView2<'_, T>,
        t: T,
    ) -> Result<(Array1<T>, Derivatives<T>), FlowError> {
        expect_columns("the points", x, self.dim)?;
        let mut jet = PotentialJet::default();
        self.evaluate(&Weights::new(&self.net, parameters)?, &flat(x), t, &mut jet)?;
        let gradient = array2("the gradient of the potential", jet.gradient().to_vec(), self.dim)?;
        let time = jet.time_derivative().to_vec().into();
        Ok((jet.value().to_vec().into(), Derivatives { gradient, time }))
    }

    /// Evaluates U, ∇ₓU and ∂ₜU at the rows of `x` ([n, d]) and one time `t`.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit.
    pub fn evaluate<T: Real>(
        &self,
        weights: &Weights<T>,
        x: &[T],
        t: T,
        jet: &mut PotentialJet<T>,
    ) -> Result<(), FlowError> {
        self.net.evaluate_with_common(weights, x, Some(t), Order::Jet, &mut jet.tape)
    }

    /// Adds ∂ℓ/∂parameters to `parameter_gradient` and writes ∂ℓ/∂x, for the cotangents ∂ℓ/∂U, \[n\], ∂ℓ/∂(∇ₓU), \[n,
    /// d\], and ∂ℓ/∂(∂ₜU), \[n\], of the last evaluation.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit the evaluation.
    pub fn pull_back<T: Real>(
        &self,
        weights: &Weights<T>,
        jet: &mut PotentialJet<T>,
        (value, gradient, time_derivative): (&[T], &[T], &[T]),
        parameter_gradient: &mut [T],
        position_gradient: &mut [T],
    ) -> Result<(), FlowError> {
        let cotangent = Cotangent { value, gradient: Some(gradient), common: Some(time_derivative) };
        self.net.pull_back(weights, &mut jet.tape, cotangent, parameter_gradient, Some(position_gradient))
    }

    /// ΔₓU at each point of the last evaluation ([`Mlp::laplacian`]), of a perceptron.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the weights are not of the potential's network, [`FlowError::Specification`] for
    /// convolutions.
    pub fn laplacian<T: Real>(
        &self,
        weights: &Weights<T>,
        jet: &PotentialJet<T>,
    ) -> Result<Vec<T>, FlowError> {
        self.net.laplacian(weights, &jet.tape)
    }
}

/// U, ∇ₓU and ∂ₜU at a batch of points, with what their pullback needs; buffers are reused.
#[derive(Debug, Clone, Default)]
pub struct PotentialJet<T: Real> {
    tape: Tape<T>,
}

impl<T: Real> PotentialJet<T> {
    /// U at each point.
    pub fn value(&self) -> &[T] {
        self.tape.value()
    }

    /// ∇ₓU, [n, d].
    pub fn gradient(&self) -> &[T] {
        self.tape.gradient()
    }

    /// ∂ₜU at each point.
    pub fn time_derivative(&self) -> &[T] {
        self.tape.common_derivative()
    }
}

/// ∇ₓU and ∂ₜU of a potential at some points and one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Derivatives<T> {
    /// ∇ₓU, [n, d]; −λv of a velocity without a potential.
    pub gradient: Array2<T>,
    /// ∂ₜU, \[n\]; zeros without a potential.
    pub time: Array1<T>,
}
