//! A network as tensors: value and closed-form input gradient as forward operations.

use super::convolution::{Convolutions, Passed};
use super::transfer::{Scalar, size, vector};
use crate::FlowError;
use crate::activation::{Activation, SHARPNESS};
use crate::error::expect_length;
use crate::mlp::Output;
use crate::network;
use crate::scalar_field::ScalarField;
use tch::{Device, Tensor};

/// An affine layer, views of the parameters: W [out, in] and b \[out\].
struct Affine {
    weight: Tensor,
    bias: Tensor,
}

/// The parameters of a network on a device: one flat leaf and its layers, which are views of it.
pub(super) struct Network {
    activation: Activation,
    output: Output,
    leaf: Tensor,
    convolutions: Option<Convolutions>,
    hidden: Vec<Affine>,
    last: Affine,
    quadratic: Option<Quadratic>,
}

/// S, [d, d], and b, \[d\], of the form b·z + ½ zᵀSz.
struct Quadratic {
    matrix: Tensor,
    linear: Tensor,
}

/// The pre-activation s_l and the activation a_l of a hidden layer, [batch, width].
pub(super) struct Hidden {
    pub(super) before: Tensor,
    pub(super) after: Tensor,
}

/// A network at a batch of points; value and gradient share the hidden layers.
pub(super) struct Evaluation<'a> {
    network: &'a Network,
    passed: Option<Passed>,
    hidden: Vec<Hidden>,
    /// z with ∇q = b + Sz, [batch, input], where there is a quadratic part.
    curved: Option<(Tensor, Tensor)>,
}

impl Network {
    /// Copies flat parameters to the device; only a `trained` network records a graph.
    pub(super) fn new<T: Scalar>(
        net: &network::Network,
        parameters: &[T],
        device: Device,
        trained: bool,
    ) -> Result<Self, FlowError> {
        expect_length("the parameter buffer", parameters.len(), net.parameter_count())?;
        let leaf = vector(parameters, device)?.f_requires_grad_(trained)?;
        // One split has one backward operation, which joins the pieces again; a view for each layer would have a
        // backward of the size of the whole leaf each.
        let head = net.head();
        let kernels =
            net.convolutions().into_iter().flat_map(|net| net.blocks().iter().map(|b| b.weight.len()));
        let layers = head.layers().iter().flat_map(|layer| [layer.weight.len(), layer.bias.len()]);
        let dim = net.input();
        let quadratic = net.has_quadratic().then_some([dim * dim, dim]).into_iter().flatten();
        let lengths: Vec<i64> = kernels.chain(layers).chain(quadratic).map(size).collect();
        let mut pieces = leaf.f_split_with_sizes(lengths, 0)?.into_iter();
        let convolutions = net.convolutions().map(|net| Convolutions::new(net, &mut pieces)).transpose()?;
        let mut hidden = Vec::with_capacity(head.layers().len());
        for layer in head.layers() {
            let Some((weight, bias)) = pieces.next().zip(pieces.next()) else { break };
            let weight = weight.f_view([size(layer.output), size(layer.input)])?;
            hidden.push(Affine { weight, bias });
        }
        let last = hidden.pop().unwrap_or_else(|| unreachable!("an Mlp has layers"));
        let quadratic = match pieces.next().zip(pieces.next()) {
            Some((matrix, linear)) => {
                let matrix = matrix.f_view([size(dim), size(dim)])?;
                let matrix = matrix.f_add(&matrix.f_transpose(0, 1)?)?.f_mul_scalar(0.5)?;
                Some(Quadratic { matrix, linear })
            }
            None => None,
        };
        let (activation, output) = (head.activation(), head.output());
        Ok(Self { activation, output, leaf, convolutions, hidden, last, quadratic })
    }

    /// Runs all but the last layer at the rows of `z`, [batch, input].
    pub(super) fn at(&self, z: &Tensor) -> Result<Evaluation<'_>, FlowError> {
        let passed = self.convolutions.as_ref().map(|convolutions| convolutions.at(z)).transpose()?;
        let bottom = passed.as_ref().map_or(z, |passed| &passed.features);
        let mut hidden: Vec<Hidden> = Vec::with_capacity(self.hidden.len());
        for layer in &self.hidden {
            let below = hidden.last().map_or(bottom, |hidden| &hidden.after);
            let before = below.f_linear(&layer.weight, Some(&layer.bias))?;
            let after = activate(self.activation, &before)?;
            hidden.push(Hidden { before, after });
        }
        let curved = match &self.quadratic {
            Some(Quadratic { matrix, linear }) => {
                Some((z.shallow_clone(), z.f_matmul(matrix)?.f_add(linear)?))
            }
            None => None,
        };
        Ok(Evaluation { network: self, passed, hidden, curved })
    }

    /// The parameters.
    pub(super) fn leaf(&self) -> &Tensor {
        &self.leaf
    }
}

/// Writes the derivative of `loss` in each leaf: one backward pass, after which the graph is gone.
pub(super) fn leaf_gradients<T: Scalar, const N: usize>(
    loss: &Tensor,
    leaves: [(&Tensor, &mut [T]); N],
) -> Result<(), FlowError> {
    let tensors = Tensor::f_run_backward(&[loss], &leaves.each_ref().map(|(leaf, _)| *leaf), false, false)?;
    for (tensor, (_, gradient)) in tensors.into_iter().zip(leaves) {
        tensor.f_copy_data(gradient, gradient.len())?;
    }
    Ok(())
}

impl Evaluation<'_> {
    /// u = m(w·a_m + c) + q(z), \[batch\].
    pub(super) fn value(&self) -> Result<Tensor, FlowError> {
        let raw = self.raw()?.f_view([-1])?;
        let value = match self.network.output {
            Output::Identity => raw,
            // b − softplus(−r), and log sigmoid is −softplus(−·).
            Output::Below(bound) => raw.f_log_sigmoid()?.f_add_scalar(bound)?,
        };
        let (Some((z, slopes)), Some(Quadratic { linear, .. })) = (&self.curved, &self.network.quadratic)
        else {
            return Ok(value);
        };
        let halves = slopes.f_add(linear)?.f_mul(z)?.f_mul_scalar(0.5)?;
        Ok(value.f_add(&halves.f_sum_dim_intlist(1, false, None)?)?)
    }

    /// ∇_z u, [batch, input], with ∇q: q_m = m′(r)·w, g_l = q_l ⊙ σ′(s_l), q_{l−1} = W_lᵀ·g_l.
    pub(super) fn gradient(&self) -> Result<Tensor, FlowError> {
        let weight = &self.network.last.weight;
        let mut q = match self.network.output {
            Output::Identity => weight.f_expand_as(&self.top().after)?,
            Output::Below(_) => self.raw()?.f_neg()?.f_sigmoid()?.f_mul(weight)?,
        };
        for (layer, hidden) in self.network.hidden.iter().zip(&self.hidden).rev() {
            q = times_slope(self.network.activation, &q, hidden)?.f_matmul(&layer.weight)?;
        }
        let gradient = match (&self.network.convolutions, &self.passed) {
            (Some(convolutions), Some(passed)) => convolutions.gradient(passed, &q)?,
            _ => q,
        };
        match &self.curved {
            Some((_, slopes)) => Ok(gradient.f_add(slopes)?),
            None => Ok(gradient),
        }
    }

    /// r, [batch, 1].
    fn raw(&self) -> Result<Tensor, FlowError> {
        let last = &self.network.last;
        Ok(self.top().after.f_linear(&last.weight, Some(&last.bias))?)
    }

    fn top(&self) -> &Hidden {
        self.hidden.last().unwrap_or_else(|| unreachable!("an Mlp has a hidden layer"))
    }
}

/// σ(s).
pub(super) fn activate(activation: Activation, s: &Tensor) -> Result<Tensor, FlowError> {
    Ok(match activation {
        Activation::Tanh => s.f_tanh()?,
        // libtorch's own softplus drops log(1 + e⁻ˢ) beyond s = 20, which double precision would notice.
        Activation::Softplus => s.f_neg()?.f_log_sigmoid()?.f_neg()?,
        Activation::SharpSoftplus => {
            s.f_mul_scalar(-SHARPNESS)?.f_log_sigmoid()?.f_mul_scalar(-1.0 / SHARPNESS)?
        }
        Activation::Relu => s.f_relu()?,
    })
}

/// q ⊙ σ′(s): the operations of libtorch's own backward pass, used as forward ones; it knows their derivatives too.
pub(super) fn times_slope(activation: Activation, q: &Tensor, hidden: &Hidden) -> Result<Tensor, FlowError> {
    Ok(match activation {
        Activation::Tanh => Tensor::f_tanh_backward(q, &hidden.after)?,
        Activation::Softplus => q.f_mul(&hidden.before.f_sigmoid()?)?,
        Activation::SharpSoftplus => q.f_mul(&hidden.before.f_mul_scalar(SHARPNESS)?.f_sigmoid()?)?,
        Activation::Relu => hidden.before.f_threshold_backward(q, 0.0)?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Network, leaf_gradients};
    use crate::activation::Activation;
    use crate::convolution::ConvolutionDescription;
    use crate::mlp::{Mlp, Output};
    use crate::network;
    use crate::scalar_field::ScalarField;
    use crate::torch::transfer::{download, matrix, vector};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use tch::{Device, Tensor};

    const DIM: usize = 3;
    const BATCH: usize = 4;

    fn close(found: &[f64], expected: &[f64], what: &str) {
        let scale = expected.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        assert!(scale > 1e-3, "{what}: nothing to compare");
        for (x, y) in found.iter().zip(expected) {
            // Two orders of summation of at most 27 terms over 4 layers: a hundred roundings are plenty.
            assert!((x - y).abs() < 100.0 * f64::EPSILON * (1.0 + scale), "{what}: {x} against {y}");
        }
    }

    /// Perceptrons, with a quadratic part too, and convolutions of images of 5 × 4 pixels of two numbers beside a time.
    fn networks(activation: Activation, output: Output) -> [network::Network; 3] {
        let image = ConvolutionDescription { image: [5, 4, 2], channels: vec![3, 2], kernel: 3, pooling: 2 };
        let perceptron: network::Network = Mlp::new(DIM, &[6, 9, 5], activation, output).unwrap().into();
        [
            perceptron.clone(),
            perceptron.with_quadratic(),
            network::Network::of_images(&image, (40, 1), &[6, 5], activation, output).unwrap(),
        ]
    }

    /// The reference is libtorch's differentiation of the value alone: once for ∇_z u, twice for the parameters.
    #[test]
    fn closed_form_is_the_double_backward_of_the_value() {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let mut uniform =
            |n: usize| -> Vec<f64> { (0..n).map(|_| 2.0 * rng.random::<f64>() - 1.0).collect() };
        let activations =
            [Activation::Tanh, Activation::Softplus, Activation::SharpSoftplus, Activation::Relu];
        let outputs = [Output::Identity, Output::Below(0.5)];
        let all = activations.iter().flat_map(|&a| outputs.iter().flat_map(move |&o| networks(a, o)));
        for net in all {
            let (what, dim) = (format!("{net:?}"), net.input());
            let mut theta: Vec<f64> = net.initial(&mut ChaCha8Rng::seed_from_u64(12));
            for (p, noise) in theta.iter_mut().zip(uniform(net.parameter_count())) {
                *p += 0.3 * noise;
            }
            let points = uniform(BATCH * dim);
            let seed = vector(&uniform(BATCH * dim), Device::Cpu).unwrap();
            let network = Network::new(&net, &theta, Device::Cpu, true).unwrap();
            let loss_of = |gradient: &Tensor| gradient.f_reshape([-1]).unwrap().f_dot(&seed).unwrap();

            let z = matrix(&points, dim, Device::Cpu).unwrap();
            let gradient = network.at(&z).unwrap().gradient().unwrap();
            let mut once = vec![0.0; theta.len()];
            leaf_gradients(&loss_of(&gradient), [(network.leaf(), &mut once)]).unwrap();

            let z = matrix(&points, dim, Device::Cpu).unwrap().f_requires_grad_(true).unwrap();
            let total = network.at(&z).unwrap().value().unwrap().f_sum(tch::Kind::Double).unwrap();
            let reference = Tensor::f_run_backward(&[total], &[z], true, true).unwrap().remove(0);
            let mut twice = vec![0.0; theta.len()];
            leaf_gradients(&loss_of(&reference), [(network.leaf(), &mut twice)]).unwrap();

            let values = |t: &Tensor| {
                download::<f64>(&t.f_detach().unwrap().f_contiguous().unwrap(), BATCH * dim).unwrap()
            };
            close(&values(&gradient), &values(&reference), &what);
            close(&once, &twice, &what);
        }
    }

    #[test]
    fn only_a_trained_network_records_a_graph() {
        for net in networks(Activation::Tanh, Output::Identity) {
            let theta = vec![0.1_f32; net.parameter_count()];
            for trained in [false, true] {
                let network = Network::new(&net, &theta, Device::Cpu, trained).unwrap();
                let z = matrix(&vec![0.5_f32; 2 * net.input()], net.input(), Device::Cpu).unwrap();
                assert_eq!(network.at(&z).unwrap().gradient().unwrap().requires_grad(), trained);
            }
        }
    }
}
