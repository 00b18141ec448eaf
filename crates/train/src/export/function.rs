//! Which functions of a model are exported, as graphs.

use super::graph::{Graph, Name, Op};
use super::network::{Evaluated, activate, affine};
use crate::model::{ExplicitModel, FlowModel, GameModel, GeneratorModel, Model, Trained};
use crate::source::{Conditions, Units};
use flows::FlowError;
use flows::flow::Flow;
use flows::generator::{Generator, GeneratorOutput, NORMALISATION_FLOOR};
use flows::network::Network;
use ndarray::Array1;

/// A function of a trained model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// Where a point goes, x ↦ x_T or z ↦ G(z): of an explicit flow and of a generator.
    Map,
    /// v(x, t), with t a column of its own: of a network, with or without a potential.
    Velocity,
    /// U(x, 0) of an explicit flow up to a constant, U(x, t) of a network.
    Potential,
    /// φ(x), of a flow that is trained with a network for it.
    Critic,
}

impl Function {
    /// Every function, with its name.
    pub const ALL: [(&'static str, Self); 4] = [
        ("map", Self::Map),
        ("velocity", Self::Velocity),
        ("potential", Self::Potential),
        ("critic", Self::Critic),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, function)| *function == self).map_or("", |(name, _)| name)
    }
}

impl Model {
    /// A function of the model as a graph of operations in single precision; without a choice the map where it is one, else
    /// the velocity, else the critic.
    ///
    /// # Errors
    /// [`FlowError::Specification`] for a function that the model does not have as a network.
    pub fn graph(&self, function: Option<Function>) -> Result<(Function, Graph), FlowError> {
        match (self, function) {
            (Self::Generator(model), None | Some(Function::Map)) => Ok((Function::Map, generator(model))),
            (Self::Generator(_), Some(function)) => Err(without(function, "generator", "map")),
            (Self::Flow(model), function) => flow(model, function),
            (Self::Critic(_), function) => Err(FlowError::Specification {
                what: format!("the {}", function.unwrap_or(Function::Critic).name()),
                found: "asked of a critic alone, which is not written as operations".into(),
                remedy: "export a flow, or evaluate the critic by `CriticModel::at`".into(),
            }),
        }
    }
}

fn flow(model: &FlowModel, function: Option<Function>) -> Result<(Function, Graph), FlowError> {
    let kind = model.config.representation.kind();
    Ok(match (&model.trained, function) {
        (Trained::Explicit(explicit), None | Some(Function::Map)) => {
            (Function::Map, explicit_map(explicit, &model.units, model.condition())?)
        }
        (Trained::Explicit(explicit), Some(Function::Potential)) => {
            (Function::Potential, explicit_potential(explicit, &model.units, model.condition())?)
        }
        (Trained::Explicit(_), Some(function)) => return Err(without(function, kind, "map or potential")),
        (Trained::Matching(flow), _) if flow.velocity.base().is_some() => {
            return Err(with_gaussian_base(kind, "velocity"));
        }
        (Trained::Matching(flow), None | Some(Function::Velocity)) => {
            let network = (flow.velocity.net(), &flow.parameters[..]);
            (Function::Velocity, direct_velocity(network, &model.units))
        }
        (Trained::Matching(_), Some(function)) => return Err(without(function, kind, "velocity")),
        (Trained::OtFlow(_), function) => {
            let function = function.unwrap_or(Function::Velocity);
            let remedy = "export another representation, or sample the flow".into();
            let found = "asked of the representation ot-flow, which is not written as operations".into();
            return Err(FlowError::Specification { what: format!("the {}", function.name()), found, remedy });
        }
        (Trained::Game(players), function) => game(players, &model.units, function, kind)?,
    })
}

fn with_gaussian_base(kind: &str, function: &str) -> FlowError {
    FlowError::Specification {
        what: format!("the {function}"),
        found: format!(
            "asked of a flow of kind {kind} with base = \"gaussian\", which is not written as operations"
        ),
        remedy: "sample the flow, or train with base = \"identity\"".into(),
    }
}

fn game(
    players: &GameModel<Network>,
    units: &Units,
    function: Option<Function>,
    kind: &str,
) -> Result<(Function, Graph), FlowError> {
    if !players.affine.is_identity() {
        return Err(with_gaussian_base(kind, "critic"));
    }
    Ok(match (&players.game.flow, function) {
        (_, Some(Function::Critic)) | (Flow::HopfLax { .. } | Flow::ExactTerminal(_), None) => {
            let mut graph = Graph::default();
            let network = ("the critic", &players.game.critic.network);
            let dim = players.game.flow.dim();
            let x = graph.input("x", dim);
            let z = scaled(&mut graph, units, &x);
            let value = Evaluated::new(&mut graph, network, &players.critic, &z)?.value;
            (Function::Critic, energy(graph, units, 1.0, &value, "critic"))
        }
        (Flow::Velocity(velocity), None | Some(Function::Velocity)) => {
            (Function::Velocity, direct_velocity((velocity.net(), &players.flow), units))
        }
        (Flow::Network(potential), None | Some(Function::Velocity | Function::Potential)) => {
            let mut graph = Graph::default();
            let x = graph.input("x", potential.dim());
            let t = graph.input("t", 1);
            let z = scaled(&mut graph, units, &x);
            let input = graph.node(Op::Concat, [&z, &t]);
            let network = ("the potential", potential.net());
            let network = Evaluated::new(&mut graph, network, &players.flow, &input)?;
            if function == Some(Function::Potential) {
                return Ok((Function::Potential, energy(graph, units, 1.0, &network.value, "potential")));
            }
            let gradient = network.gradient(&mut graph, potential.dim());
            let rate = graph.number("rate", -units.scale() / players.game.objective.lambda);
            let velocity = graph.node(Op::Mul, [&gradient, &rate]);
            (Function::Velocity, graph.ending(velocity, "velocity", potential.dim()))
        }
        (_, Some(function)) => return Err(without(function, kind, "critic")),
    })
}

/// x_T = m₁ + Bᵀ(x′ − ∇N(x′)), x′ = B(z − m₀), in the user's units; of a conditional flow under the condition c, an input of
/// its own: of a label a column for each class, of a vector as the user writes it.
fn explicit_map(
    model: &ExplicitModel,
    units: &Units,
    condition: Option<&Conditions>,
) -> Result<Graph, FlowError> {
    let mut graph = Graph::default();
    let dim = model.width() - model.flow().condition();
    let z = explicit_input(&mut graph, model, units, condition);
    let base = Base::new(&mut graph, model);
    let inner = base.beginnings(&mut graph, &z);
    let network = ("the potential", model.flow().network());
    let network = Evaluated::new(&mut graph, network, model.parameters(), &inner)?;
    let gradient = network.gradient(&mut graph, model.flow().affine().rank());
    let ends = graph.node(Op::Sub, [&inner, &gradient]);
    let mut ends = base.points(&mut graph, &ends);
    if model.flow().condition() > 0 {
        let entries = (0..model.width()).flat_map(|row| (0..dim).map(move |column| (row, column)));
        let entries = entries.map(|(row, column)| f32::from(u8::from(row == column)));
        let coordinates = graph.tensor("coordinates", &[model.width(), dim], entries);
        ends = graph.node(Op::MatMul, [&ends, &coordinates]);
    }
    let ends = restored(&mut graph, units, &ends);
    Ok(graph.ending(ends, "y", dim))
}

/// The rows z, of a conditional flow (z, c).
fn explicit_input(
    graph: &mut Graph,
    model: &ExplicitModel,
    units: &Units,
    conditions: Option<&Conditions>,
) -> Name {
    let condition = model.flow().condition();
    let x = graph.input("x", model.width() - condition);
    let z = scaled(graph, units, &x);
    if condition == 0 {
        return z;
    }
    let mut c = graph.input("c", condition);
    if let Some((centre, scale)) = conditions.and_then(Conditions::scaling) {
        let centre = centre_of(graph, "condition.centre", centre);
        let inverse =
            graph.tensor("condition.1/scale", &[1, condition], scale.iter().map(|s| (1.0 / s) as f32));
        let centred = graph.node(Op::Sub, [&c, &centre]);
        c = graph.node(Op::Mul, [&centred, &inverse]);
    }
    graph.node(Op::Concat, [&z, &c])
}

/// U₀ = (λ/T)·(½‖z‖² − ½‖x′‖² − ⟨m₁, z⟩ + N(x′)).
fn explicit_potential(
    model: &ExplicitModel,
    units: &Units,
    condition: Option<&Conditions>,
) -> Result<Graph, FlowError> {
    let mut graph = Graph::default();
    let z = explicit_input(&mut graph, model, units, condition);
    let base = Base::new(&mut graph, model);
    let inner = base.beginnings(&mut graph, &z);
    let network = ("the potential", model.flow().network());
    let mut value = Evaluated::new(&mut graph, network, model.parameters(), &inner)?.value;
    if let Some(Names { target_mean, .. }) = &base.0 {
        for (name, points, half, op) in [("z", &z, 0.5, Op::Add), ("inner", &inner, 0.5, Op::Sub)] {
            let columns = if name == "z" { model.width() } else { model.flow().affine().rank() };
            let halves = graph.tensor(&format!("halves.{name}"), &[columns, 1], vec![half; columns]);
            let squares = graph.node(Op::Mul, [points, points]);
            let square = graph.node(Op::MatMul, [&squares, &halves]);
            value = graph.node(op, [&value, &square]);
        }
        let products = graph.node(Op::Mul, [&z, target_mean]);
        let ones = graph.tensor("ones", &[model.width(), 1], vec![1.0; model.width()]);
        let product = graph.node(Op::MatMul, [&products, &ones]);
        value = graph.node(Op::Sub, [&value, &product]);
    }
    Ok(energy(graph, units, model.flow().weight(), &value, "potential"))
}

/// The linear coordinates of an explicit flow, whose tensors are in the graph; nothing for the identity.
struct Base(Option<Names>);

struct Names {
    source_mean: Name,
    target_mean: Name,
    root: Name,
    transposed: Name,
}

impl Base {
    fn new(graph: &mut Graph, model: &ExplicitModel) -> Self {
        let (numbers, dim) = (model.flow().affine().numbers(), model.width());
        if numbers.is_empty() {
            return Self(None);
        }
        let (means, root) = numbers.split_at(2 * dim);
        let (source, target) = means.split_at(dim);
        let single = |numbers: &[f64]| numbers.iter().map(|&x| x as f32).collect::<Vec<f32>>();
        let rank = root.len() / dim;
        let columns = (0..dim).flat_map(|column| root.iter().skip(column).step_by(dim).map(|&x| x as f32));
        Self(Some(Names {
            source_mean: graph.tensor("base.source_mean", &[1, dim], single(source)),
            target_mean: graph.tensor("base.target_mean", &[1, dim], single(target)),
            transposed: graph.tensor("base.root.transposed", &[dim, rank], columns),
            root: graph.tensor("base.root", &[rank, dim], single(root)),
        }))
    }

    fn beginnings(&self, graph: &mut Graph, z: &Name) -> Name {
        let Some(names) = &self.0 else { return z.clone() };
        let centred = graph.node(Op::Sub, [z, &names.source_mean]);
        graph.node(Op::MatMul, [&centred, &names.transposed])
    }

    fn points(&self, graph: &mut Graph, ends: &Name) -> Name {
        let Some(names) = &self.0 else { return ends.clone() };
        let turned = graph.node(Op::MatMul, [ends, &names.root]);
        graph.node(Op::Add, [&turned, &names.target_mean])
    }
}

/// v(x, t) of a network that is the velocity itself.
fn direct_velocity((network, parameters): (&Generator, &[f32]), units: &Units) -> Graph {
    let mut graph = Graph::default();
    let x = graph.input("x", network.output());
    let t = graph.input("t", 1);
    let z = scaled(&mut graph, units, &x);
    let input = graph.node(Op::Concat, [&z, &t]);
    let slow = layers(&mut graph, network, (parameters, &[], &[]), &input);
    let scale = graph.number("rate", units.scale());
    let velocity = graph.node(Op::Mul, [&slow, &scale]);
    graph.ending(velocity, "velocity", network.output())
}

/// G(z) with the running averages of its normalisation.
fn generator(model: &GeneratorModel) -> Graph {
    let mut graph = Graph::default();
    let network = &model.generator;
    let z = graph.input("z", network.input());
    let start = scaled(&mut graph, &model.initial_units(), &z);
    let fitted = &model.fitted;
    let numbers = (&fitted.parameters[..], &fitted.statistics.mean[..], &fitted.statistics.variance[..]);
    let mut points = layers(&mut graph, network, numbers, &start);
    if network.form().residual {
        points = graph.node(Op::Add, [&start, &points]);
    }
    let points = restored(&mut graph, &model.units, &points);
    graph.ending(points, "y", network.output())
}

/// R(W·a_m + b) of a network of several outputs; with normalisation u = (s − μ)·γ/√(v + ϵ) + β.
fn layers(
    graph: &mut Graph,
    network: &Generator,
    (parameters, means, variances): (&[f32], &[f32], &[f32]),
    input: &Name,
) -> Name {
    let (mut last, mut unit) = (input.clone(), 0);
    for (index, (layer, scale)) in network.hidden_layers().enumerate() {
        let name = format!("layer.{}", index + 1);
        let (weight, bias) = affine(graph, &name, layer, parameters);
        let width = layer.output;
        let s = match scale {
            None => graph.node(Op::Gemm, [&last, &weight, &bias]),
            Some(scale) => {
                let zeros = graph.tensor(&format!("{name}.zeros"), &[1, width], vec![0.0; width]);
                let mean = means.iter().skip(unit).take(width).copied();
                let mean = graph.tensor(&format!("{name}.mean"), &[1, width], mean);
                let gains = parameters.get(scale.clone()).unwrap_or_default().iter();
                let gains = gains.zip(variances.iter().skip(unit)).map(|(&gain, &variance)| {
                    (f64::from(gain) / (f64::from(variance) + NORMALISATION_FLOOR).sqrt()) as f32
                });
                let gain = graph.tensor(&format!("{name}.gain"), &[1, width], gains);
                let s = graph.node(Op::Gemm, [&last, &weight, &zeros]);
                let centred = graph.node(Op::Sub, [&s, &mean]);
                let normal = graph.node(Op::Mul, [&centred, &gain]);
                graph.node(Op::Add, [&normal, &bias])
            }
        };
        unit += width;
        last = activate(graph, network.form().activation, &s);
    }
    let (weight, bias) = affine(graph, "layer.last", network.last_layer(), parameters);
    last = graph.node(Op::Gemm, [&last, &weight, &bias]);
    match network.form().output {
        GeneratorOutput::Identity => last,
        GeneratorOutput::Tanh { scale } => {
            let (bounded, scale) = (graph.node(Op::Tanh, [&last]), graph.number("bound", scale));
            graph.node(Op::Mul, [&bounded, &scale])
        }
    }
}

/// z = (x − centre)/scale.
fn scaled(graph: &mut Graph, units: &Units, x: &Name) -> Name {
    let Units::Scaled { centre, scale } = units else { return x.clone() };
    let centre = centre_of(graph, "start.centre", centre);
    let inverse = graph.number("start.1/scale", 1.0 / scale);
    let centred = graph.node(Op::Sub, [x, &centre]);
    graph.node(Op::Mul, [&centred, &inverse])
}

/// x = centre + scale·z.
fn restored(graph: &mut Graph, units: &Units, z: &Name) -> Name {
    let Units::Scaled { centre, scale } = units else { return z.clone() };
    let centre = centre_of(graph, "end.centre", centre);
    let scale = graph.number("end.scale", *scale);
    let wide = graph.node(Op::Mul, [z, &scale]);
    graph.node(Op::Add, [&wide, &centre])
}

fn centre_of(graph: &mut Graph, name: &str, centre: &Array1<f64>) -> Name {
    graph.tensor(name, &[1, centre.len()], centre.iter().map(|&x| x as f32))
}

/// factor·scale²·value, a potential in the user's units.
fn energy(mut graph: Graph, units: &Units, factor: f64, value: &Name, name: &str) -> Graph {
    let factor = graph.number("energy", factor * units.scale().powi(2));
    let value = graph.node(Op::Mul, [value, &factor]);
    graph.ending(value, name, 1)
}

fn without(function: Function, kind: &str, instead: &str) -> FlowError {
    FlowError::Specification {
        what: format!("the {}", function.name()),
        found: format!("asked of the representation {kind}, which does not have it as a network"),
        remedy: format!("export its {instead}"),
    }
}
