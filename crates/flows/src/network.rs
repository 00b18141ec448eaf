//! What potentials and critics are made of: a perceptron, on the points themselves or on what convolutions see of them.
//!
//! u(x, t) = N(f(x), t), where N is an [`Mlp`] and f the identity, or the features that [`Convolutions`] make of the image
//! x. A further input t is the same for all points of a batch, and enters beside the features. Parameters lie in one buffer:
//! those of f, then those of N.

use crate::FlowError;
use crate::activation::Activation;
use crate::convolution::{self, ConvolutionDescription, Convolutions, retain};
use crate::error::expect_length;
use crate::mlp::{self, Cotangent, Initialisation, Mlp, Order, Output};
use crate::real::Real;
use crate::scalar_field::{Evaluation, ScalarField};
use rand::Rng;

/// A scalar field u(z), of z = x or z = (x, t).
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    convolutions: Option<Convolutions>,
    head: Mlp,
}

impl From<Mlp> for Network {
    fn from(head: Mlp) -> Self {
        Self { convolutions: None, head }
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
        Ok(Self { convolutions: Some(convolutions), head })
    }

    /// The same network with initial parameters drawn in another way.
    #[must_use]
    pub fn initialised(self, initialisation: Initialisation) -> Self {
        Self { head: self.head.initialised(initialisation), ..self }
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
        self.convolutions.as_ref().map_or(0, Convolutions::products) + layers
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
        self.head.value()
    }

    fn gradient(&self) -> &[T] {
        self.convolutions.as_ref().map_or(self.head.gradient(), |through| &through.gradient)
    }

    fn retain(&mut self, keep: &[bool]) -> Result<(), FlowError> {
        self.head.retain(keep)?;
        if let Some(through) = &mut self.convolutions {
            through.tape.retain(keep)?;
            retain(&mut through.features, keep);
            retain(&mut through.gradient, keep);
        }
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
        self.convolutions.as_ref().map_or(0, Convolutions::parameter_count) + self.head.parameter_count()
    }

    fn initial<T: Real>(&self, rng: &mut impl Rng) -> Vec<T> {
        let initialisation = self.head.initialisation();
        let kernels = self.convolutions.as_ref().map(|net| net.initial(initialisation, rng));
        let mut parameters: Vec<T> = kernels.unwrap_or_default();
        parameters.extend(initialisation.draw::<T>(&self.head, rng));
        parameters
    }

    fn arrange<T: Real>(&self, parameters: &[T], weights: &mut Weights<T>) -> Result<(), FlowError> {
        expect_length("the parameter buffer", parameters.len(), self.parameter_count())?;
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
        inputs: Option<&mut [T]>,
    ) -> Result<(), FlowError> {
        let (Some(convolutions), Some(through)) = (&self.convolutions, &mut tape.convolutions) else {
            let (weights, tape) = (&weights.head, &mut tape.head);
            return self.head.pull_back(weights, tape, cotangent, parameters, inputs);
        };
        expect_length("the parameter gradient", parameters.len(), self.parameter_count())?;
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

    fn laplacian<T: Real>(&self, weights: &Weights<T>, tape: &Tape<T>) -> Result<Vec<T>, FlowError> {
        if self.convolutions.is_some() {
            return Err(FlowError::specification(
                "the Laplacian of a convolutional network",
                "asked for",
                "leave the flow without noise, or take a perceptron",
            ));
        }
        self.head.laplacian(&weights.head, &tape.head)
    }

    fn perceptron(&self) -> Option<&Mlp> {
        self.convolutions.is_none().then_some(&self.head)
    }
}
