//! Networks as operations: the value of a scalar network, its gradient, and a network of several outputs.

use super::graph::{Graph, Name, Op};
use flows::FlowError;
use flows::activation::Activation;
use flows::mlp::{Mlp, Output};
use flows::network::{Network, QuadraticPart};

/// κ of the sharp softplus.
const SHARPNESS: f64 = 10.0;

/// A scalar network that was evaluated at the value `input` of a graph.
pub(super) struct Evaluated<'a> {
    network: &'a Mlp,
    parameters: &'a [f32],
    weights: Vec<Name>,
    /// Pre-activations and activations of the hidden layers.
    hidden: Vec<(Name, Name)>,
    /// ∇q = b + Sz, [n, d], of a network with a quadratic part.
    slopes: Option<Name>,
    /// u = m(r) + q, [n, 1].
    pub(super) value: Name,
}

/// One affine layer in a parameter buffer.
pub(super) fn affine(
    graph: &mut Graph,
    name: &str,
    layer: &flows::mlp::Layer,
    parameters: &[f32],
) -> (Name, Name) {
    let slice =
        |range: &std::ops::Range<usize>| parameters.get(range.clone()).unwrap_or_default().iter().copied();
    let weight = graph.tensor(&format!("{name}.weight"), &[layer.output, layer.input], slice(&layer.weight));
    let bias = graph.tensor(&format!("{name}.bias"), &[1, layer.output], slice(&layer.bias));
    (weight, bias)
}

/// σ(s).
pub(super) fn activate(graph: &mut Graph, activation: Activation, s: &Name) -> Name {
    match activation {
        Activation::Tanh => graph.node(Op::Tanh, [s]),
        Activation::Softplus => graph.node(Op::Softplus, [s]),
        Activation::Relu => graph.node(Op::Relu, [s]),
        Activation::SharpSoftplus => {
            let (sharpness, dulled) = sharpness(graph);
            let sharp = graph.node(Op::Mul, [s, &sharpness]);
            let soft = graph.node(Op::Softplus, [&sharp]);
            graph.node(Op::Mul, [&soft, &dulled])
        }
    }
}

/// κ and 1/κ, once in a graph.
fn sharpness(graph: &mut Graph) -> (Name, Name) {
    let (sharp, dull) = ("sharpness".to_owned(), "1/sharpness".to_owned());
    if !graph.tensors.iter().any(|tensor| tensor.name == sharp) {
        graph.number(&sharp, SHARPNESS);
        graph.number(&dull, 1.0 / SHARPNESS);
    }
    (sharp, dull)
}

/// σ′ at a pre-activation s with σ(s).
fn slope(graph: &mut Graph, activation: Activation, (s, value): &(Name, Name)) -> Name {
    match activation {
        Activation::Tanh => {
            let one = graph.number(&format!("one.{}", graph.nodes.len()), 1.0);
            let square = graph.node(Op::Mul, [value, value]);
            graph.node(Op::Sub, [&one, &square])
        }
        Activation::Softplus => graph.node(Op::Sigmoid, [s]),
        Activation::SharpSoftplus => {
            let (sharpness, _) = sharpness(graph);
            let sharp = graph.node(Op::Mul, [s, &sharpness]);
            graph.node(Op::Sigmoid, [&sharp])
        }
        Activation::Relu => graph.node(Op::Sign, [value]),
    }
}

impl<'a> Evaluated<'a> {
    /// u at the rows of `input`; `what` names the network in errors.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for convolutions, which are not written.
    pub(super) fn new(
        graph: &mut Graph,
        (what, network): (&str, &'a Network),
        parameters: &'a [f32],
        input: &Name,
    ) -> Result<Self, FlowError> {
        if network.convolutions().is_some() {
            return Err(FlowError::Specification {
                what: what.into(),
                found: "a convolutional network, which is not written as operations".into(),
                remedy: "sample the flow, or train without convolutions".into(),
            });
        }
        let form = network.quadratic_part(parameters)?;
        let mut evaluated = Self::perceptron(graph, network.head(), parameters, input);
        if let Some(QuadraticPart { matrix, linear }) = form {
            let dim = linear.len();
            let matrix = graph.tensor("quadratic.matrix", &[dim, dim], matrix);
            let row = graph.tensor("quadratic.linear", &[1, dim], linear.iter().copied());
            let turned = graph.node(Op::MatMul, [input, &matrix]);
            let slopes = graph.node(Op::Add, [&turned, &row]);
            // q = ½ z·(2b + Sz).
            let both = graph.node(Op::Add, [&slopes, &row]);
            let products = graph.node(Op::Mul, [&both, input]);
            let halves = graph.tensor("quadratic.halves", &[dim, 1], vec![0.5; dim]);
            let form = graph.node(Op::MatMul, [&products, &halves]);
            evaluated.value = graph.node(Op::Add, [&evaluated.value, &form]);
            evaluated.slopes = Some(slopes);
        }
        Ok(evaluated)
    }

    fn perceptron(graph: &mut Graph, network: &'a Mlp, parameters: &'a [f32], input: &Name) -> Self {
        let (mut weights, mut hidden, mut last) = (Vec::new(), Vec::new(), input.clone());
        let count = network.layers().len();
        for (index, layer) in network.layers().iter().enumerate() {
            let (weight, bias) = affine(graph, &format!("layer.{}", index + 1), layer, parameters);
            let s = graph.node(Op::Gemm, [&last, &weight, &bias]);
            weights.push(weight);
            last = if index + 1 == count { s } else { activate(graph, network.activation(), &s) };
            if index + 1 < count {
                let s =
                    graph.nodes.iter().rev().find(|node| node.op == Op::Gemm).map(|node| node.output.clone());
                hidden.push((s.unwrap_or_default(), last.clone()));
            }
        }
        if let Output::Below(bound) = network.output() {
            // b − softplus(−r).
            let (minus, bound) = (graph.number("minus", -1.0), graph.number("bound", bound));
            let negative = graph.node(Op::Mul, [&last, &minus]);
            let soft = graph.node(Op::Softplus, [&negative]);
            last = graph.node(Op::Sub, [&bound, &soft]);
        }
        Self { network, parameters, weights, hidden, slopes: None, value: last }
    }

    /// The gradient in the first `columns` columns of the input, of a network whose output is its last layer.
    pub(super) fn gradient(&self, graph: &mut Graph, columns: usize) -> Name {
        let mut chain = self.weights.last().cloned().unwrap_or_default();
        let layers = self.hidden.iter().zip(&self.weights).zip(self.network.layers()).enumerate().rev();
        for (index, ((hidden, weight), layer)) in layers {
            let slope = slope(graph, self.network.activation(), hidden);
            let cotangent = graph.node(Op::Mul, [&slope, &chain]);
            let weight = if index == 0 && columns < layer.input {
                let rows = self.parameters.get(layer.weight.clone()).unwrap_or_default();
                let kept = rows.chunks(layer.input).flat_map(|row| row.iter().take(columns).copied());
                graph.tensor("layer.1.weight.space", &[layer.output, columns], kept)
            } else {
                weight.clone()
            };
            chain = graph.node(Op::MatMul, [&cotangent, &weight]);
        }
        match &self.slopes {
            Some(slopes) => graph.node(Op::Add, [&chain, slopes]),
            None => chain,
        }
    }
}
