//! What potentials and critics are made of: a perceptron, on the points themselves or on what convolutions see of them, and
//! a quadratic form beside it.
//!
//! u(x, t) = N(f(x), t) + q(x), where N is an [`Mlp`] and f the identity, or the features that [`Convolutions`] make of the
//! image x; q is 0, or the form b·x + ½ xᵀSx. A further input t is the same for all points of a batch, and enters beside
//! the features. Parameters lie in one buffer: those of f, then those of N, then A, of which S is the symmetric part, and b.

use crate::FlowError;
use crate::activation::Activation;
use crate::convolution::{self, ConvolutionDescription, Convolutions, retain};
use crate::error::expect_length;
use crate::mlp::{self, Cotangent, Initialisation, Mlp, Order, Output};
pub use crate::quadratic::QuadraticPart;
use crate::quadratic::{self, Quadratic};
use crate::real::Real;
use crate::scalar_field::{Evaluation, ScalarField};
use rand::Rng;

/// A scalar field u(z), of z = x or z = (x, t).
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    convolutions: Option<Convolutions>,
    head: Mlp,
    quadratic: Option<Quadratic>,
}

impl From<Mlp> for Network {
    fn from(head: Mlp) -> Self {
        Self { convolutions: None, head, quadratic: None }
    }
}

impl Network {
    /// The network of these hidden widths on images x of `dim` numbers and `beside` further ones, 0 or 1; the activation is
    /// that of the convolutions too.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for a value outside its domain, and for images of another number of values.
    ///
    /// ```
    /// use flows::{activation::Activation, convolution::ConvolutionDescription, mlp::Output, network::Network};
    /// let image = ConvolutionDescription { image: [28, 28, 1], channels: vec![8, 8], kernel: 7, pooling: 2 };
    /// let phi = Network::of_images(&image, (784, 0), &[256; 3], Activation::Relu, Output::Identity)?;
    /// assert_eq!(phi.head().input(), 392);
    /// # Ok::<(), flows::FlowError>(())
    /// ```
    pub fn of_images(
        description: &ConvolutionDescription,
        (dim, beside): (usize, usize),
        hidden: &[usize],
        activation: Activation,
        output: Output,
    ) -> Result<Self, FlowError> {
        let convolutions = description.build(dim, activation)?;
        let head = Mlp::new(convolutions.outputs() + beside, hidden, activation, output)?;
        Ok(Self { convolutions: Some(convolutions), head, quadratic: None })
    }

    /// The same network with initial parameters drawn in another way.
    #[must_use]
    pub fn initialised(self, initialisation: Initialisation) -> Self {
        Self { head: self.head.initialised(initialisation), ..self }
    }

    /// The same network with a quadratic form of the points beside it, which begins at 0; of a network that has no further
    /// input.
    ///
    /// ```
    /// use flows::{activation::Activation, mlp::{Mlp, Output}, network::Network, scalar_field::ScalarField};
    /// let net = Network::from(Mlp::new(2, &[1], Activation::Tanh, Output::Identity)?).with_quadratic();
    /// // A network that is 0, A = [[1, 2], [0, 3]] and b = (1, 0): u(x) = x₁ + ½(x₁² + 2·x₁x₂ + 3·x₂²).
    /// let parameters = [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 0.0, 3.0, 1.0, 0.0];
    /// let (value, gradient) = net.at(&parameters, ndarray::array![[2.0, 1.0]].view())?;
    /// assert_eq!((value[0], gradient), (7.5, ndarray::array![[4.0, 5.0]]));
    /// # Ok::<(), flows::FlowError>(())
    /// ```
    #[must_use]
    pub fn with_quadratic(self) -> Self {
        let quadratic = Some(Quadratic::new(self.input()));
        Self { quadratic, ..self }
    }

    /// Whether a quadratic form is beside N.
    pub fn has_quadratic(&self) -> bool {
        self.quadratic.is_some()
    }

    /// The quadratic form at these parameters, where there is one.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when the parameters are not of the network.
    pub fn quadratic_part<T: Real>(&self, parameters: &[T]) -> Result<Option<QuadraticPart<T>>, FlowError> {
        expect_length("the parameter buffer", parameters.len(), self.parameter_count())?;
        let (_, own) = parameters.split_at(self.without_quadratic());
        self.quadratic.map(|quadratic| quadratic.part(own)).transpose()
    }

    /// Length of the parameters of f and N.
    fn without_quadratic(&self) -> usize {
        self.convolutions.as_ref().map_or(0, Convolutions::parameter_count) + self.head.parameter_count()
    }

    /// N.
    pub fn head(&self) -> &Mlp {
        &self.head
    }

    /// f, where it is not the identity.
    pub fn convolutions(&self) -> Option<&Convolutions> {
        self.convolutions.as_ref()
    }

    /// Products of two numbers of one evaluation at one point.
    pub fn products(&self) -> usize {
        let layers = self.head.layers().iter().map(|layer| layer.weight.len()).sum::<usize>();
        let convolutions = self.convolutions.as_ref().map_or(0, Convolutions::products);
        convolutions + layers + self.quadratic.map_or(0, Quadratic::products)
    }

    /// Evaluates u, and for a jet also its derivatives, at the rows of `x` and the same further input for all, as
    /// [`Mlp::evaluate_with_common`] does.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when a buffer does not fit.
    pub fn evaluate_with_common<T: Real>(
        &self,
        weights: &Weights<T>,
        x: &[T],
        common: Option<T>,
        order: Order,
        tape: &mut Tape<T>,
    ) -> Result<(), FlowError> {
        let mut with = tape.quadratic.take().unwrap_or_default();
        self.evaluate_head(weights, x, common, order, tape)?;
        if let Some(quadratic) = self.quadratic {
            quadratic.add(&weights.quadratic, x, (tape.value(), tape.gradient()), &mut with)?;
            tape.quadratic = Some(with);
        }
        Ok(())
    }

    /// Evaluates N(f(x), t).
    fn evaluate_head<T: Real>(
        &self,
        weights: &Weights<T>,
        x: &[T],
        common: Option<T>,
        order: Order,
        tape: &mut Tape<T>,
    ) -> Result<(), FlowError> {
        let Some(convolutions) = &self.convolutions else {
            tape.convolutions = None;
            return self.head.evaluate_with_common(&weights.head, x, common, order, &mut tape.head);
        };
        let beside = self.head.input() - convolutions.outputs();
        expect_length("what stands beside the image", usize::from(common.is_some()), beside)?;
        let through = tape.convolutions.get_or_insert_default();
        convolutions.features(&weights.kernels, x, &mut through.tape, &mut through.features)?;
        self.head.evaluate_with_common(&weights.head, &through.features, common, order, &mut tape.head)?;
        through.gradient.clear();
        if order == Order::Jet {
            let slopes = tape.head.gradient();
            convolutions.input_gradient(
                &weights.kernels,
                &mut through.tape,
                slopes,
                &mut through.gradient,
            )?;
        }
        Ok(())
    }
}

/// The parameters of a network, arranged once for all evaluations that they are used in.
#[derive(Debug, Clone, Default)]
pub struct Weights<T> {
    kernels: convolution::Kernels<T>,
    head: mlp::Weights<T>,
    quadratic: quadratic::Form<T>,
}

impl<T: Real> Weights<T> {
    /// Arranges a parameter buffer.
    ///
    /// # Errors
    /// [`FlowError::Shape`] when it is not of the network.
    pub fn new(net: &Network, parameters: &[T]) -> Result<Self, FlowError> {
        let mut weights = Self::default();
        net.arrange(parameters, &mut weights)?;
        Ok(weights)
    }
}

/// One evaluation of a network at a batch of points.
#[derive(Debug, Clone, Default)]
pub struct Tape<T: Real> {
    convolutions: Option<Through<T>>,
    head: mlp::Tape<T>,
    quadratic: Option<quadratic::Tape<T>>,
}

/// The convolutions of an evaluation.
#[derive(Debug, Clone, Default)]
struct Through<T> {
    tape: convolution::Tape<T>,
    /// f(x), [n, features].
    features: Vec<T>,
    /// ∇ₓu, [n, d], of a jet.
    gradient: Vec<T>,
    /// ∂ℓ/∂∇_f N.
    slopes: Vec<T>,
    /// ∂ℓ/∂f.
    cotangent: Vec<T>,
}

impl<T: Real> Tape<T> {
    /// ∂u/∂t at each point of a jet with a further input.
    pub fn common_derivative(&self) -> &[T] {
        self.head.common_derivative()
    }
}

impl<T: Real> Evaluation<T> for Tape<T> {
    fn value(&self) -> &[T] {
        self.quadratic.as_ref().map_or(self.head.value(), |with| &with.value)
    }

    fn gradient(&self) -> &[T] {
        if let Some(with) = &self.quadratic {
            return &with.gradient;
        }
        self.convolutions.as_ref().map_or(self.head.gradient(), |through| &through.gradient)
    }

    fn retain(&mut self, keep: &[bool]) -> Result<(), FlowError> {
        self.head.retain(keep)?;
        if let Some(through) = &mut self.convolutions {
            through.tape.retain(keep)?;
            retain(&mut through.features, keep);
            retain(&mut through.gradient, keep);
        }
        self.quadratic.iter_mut().for_each(|with| with.retain(keep));
        Ok(())
    }
}

impl ScalarField for Network {
    type Weights<T: Real> = Weights<T>;
    type Tape<T: Real> = Tape<T>;

    fn input(&self) -> usize {
        self.convolutions.as_ref().map_or(self.head.input(), |convolutions| {
            convolutions.inputs() + self.head.input() - convolutions.outputs()
        })
    }

    fn parameter_count(&self) -> usize {
        self.without_quadratic() + self.quadratic.map_or(0, Quadratic::parameter_count)
    }

    fn initial<T: Real>(&self, rng: &mut impl Rng) -> Vec<T> {
        let initialisation = self.head.initialisation();
        let kernels = self.convolutions.as_ref().map(|net| net.initial(initialisation, rng));
        let mut parameters: Vec<T> = kernels.unwrap_or_default();
        parameters.extend(initialisation.draw::<T>(&self.head, rng));
        parameters.resize(self.parameter_count(), T::zero());
        parameters
    }

    fn arrange<T: Real>(&self, parameters: &[T], weights: &mut Weights<T>) -> Result<(), FlowError> {
        expect_length("the parameter buffer", parameters.len(), self.parameter_count())?;
        let (parameters, of_quadratic) = parameters.split_at(self.without_quadratic());
        if let Some(quadratic) = self.quadratic {
            quadratic.arrange(of_quadratic, &mut weights.quadratic)?;
        }
        let Some(convolutions) = &self.convolutions else {
            return weights.head.arrange(&self.head, parameters);
        };
        let (kernels, rest) = parameters.split_at(convolutions.parameter_count());
        convolutions.arrange(kernels, &mut weights.kernels)?;
        weights.head.arrange(&self.head, rest)
    }

    fn evaluate<T: Real>(
        &self,
        weights: &Weights<T>,
        points: &[T],
        order: Order,
        tape: &mut Tape<T>,
    ) -> Result<(), FlowError> {
        self.evaluate_with_common(weights, points, None, order, tape)
    }

    fn pull_back<T: Real>(
        &self,
        weights: &Weights<T>,
        tape: &mut Tape<T>,
        cotangent: Cotangent<'_, T>,
        parameters: &mut [T],
        mut inputs: Option<&mut [T]>,
    ) -> Result<(), FlowError> {
        expect_length("the parameter gradient", parameters.len(), self.parameter_count())?;
        let (parameters, of_quadratic) = parameters.split_at_mut(self.without_quadratic());
        self.pull_back_head(weights, tape, cotangent, parameters, inputs.as_deref_mut())?;
        let (Some(quadratic), Some(with)) = (self.quadratic, &tape.quadratic) else { return Ok(()) };
        let slopes = (cotangent.value, cotangent.gradient);
        quadratic.pull_back(&weights.quadratic, with, slopes, of_quadratic, inputs)
    }

    fn laplacian<T: Real>(&self, weights: &Weights<T>, tape: &Tape<T>) -> Result<Vec<T>, FlowError> {
        if self.convolutions.is_some() || self.quadratic.is_some() {
            return Err(FlowError::specification(
                "the Laplacian of a network of convolutions or with a quadratic part",
                "asked for",
                "leave the flow without noise, or take a perceptron",
            ));
        }
        self.head.laplacian(&weights.head, &tape.head)
    }

    fn perceptron(&self) -> Option<&Mlp> {
        (self.convolutions.is_none() && self.quadratic.is_none()).then_some(&self.head)
    }
}

impl Network {
    /// The pullback of N(f(x), t).
    fn pull_back_head<T: Real>(
        &self,
        weights: &Weights<T>,
        tape: &mut Tape<T>,
        cotangent: Cotangent<'_, T>,
        parameters: &mut [T],
        inputs: Option<&mut [T]>,
    ) -> Result<(), FlowError> {
        let (Some(convolutions), Some(through)) = (&self.convolutions, &mut tape.convolutions) else {
            let (weights, tape) = (&weights.head, &mut tape.head);
            return self.head.pull_back(weights, tape, cotangent, parameters, inputs);
        };
        let (kernels, rest) = parameters.split_at_mut(convolutions.parameter_count());
        let Through { tape: images, features, gradient, slopes, cotangent: below } = through;
        let mut of_head = Cotangent { gradient: None, ..cotangent };
        if let Some(cotangent) = cotangent.gradient {
            expect_length("the cotangent of the input gradient", cotangent.len(), gradient.len())?;
            convolutions.reverse_slopes(&weights.kernels, images, cotangent, kernels, slopes)?;
            of_head.gradient = Some(slopes.as_slice());
        }
        below.resize(features.len(), T::zero());
        let (arranged, tape) = (&weights.head, &mut tape.head);
        self.head.pull_back(arranged, tape, of_head, rest, Some(below))?;
        let curved = cotangent.gradient.is_some() && !convolutions.activation().is_piecewise_linear();
        convolutions.reverse_features(&weights.kernels, images, (below, curved), kernels, inputs)
    }
}
