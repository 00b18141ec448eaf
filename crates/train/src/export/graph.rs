//! A function of a trained model as a list of operations on matrices, one point a row.

use serde::Serialize;

/// An operation, by its name in ONNX; the second operand of `Sub`, `Add` and `Mul` is broadcast over the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Op {
    /// a + b.
    Add,
    /// a − b.
    Sub,
    /// a ⊙ b.
    Mul,
    /// a·b.
    MatMul,
    /// a·bᵀ + c, the layer of a network with weights b and bias c.
    Gemm,
    /// The columns of a, then those of b.
    Concat,
    /// tanh a.
    Tanh,
    /// log(1 + eᵃ).
    Softplus,
    /// max(a, 0).
    Relu,
    /// 1/(1 + e⁻ᵃ).
    Sigmoid,
    /// −1, 0 or 1.
    Sign,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// What it does.
    pub op: Op,
    /// The names of its operands: inputs of the graph, tensors, or outputs of earlier nodes.
    pub inputs: Vec<String>,
    /// The name of its result.
    pub output: String,
}

/// Numbers of the model, [rows, columns] row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// Rows and columns; one of 1 for a vector that is broadcast.
    pub shape: Vec<usize>,
    /// The numbers.
    pub values: Vec<f32>,
}

/// A function of rows: inputs, operations in their order, and the result.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Graph {
    /// Name and columns of each input, of n rows.
    pub inputs: Vec<(String, usize)>,
    /// The operations.
    pub nodes: Vec<Node>,
    /// The numbers that they read.
    pub tensors: Vec<Tensor>,
    /// Name and columns of the result.
    pub output: (String, usize),
}

/// The name of a value in a graph.
pub(crate) type Name = String;

impl Graph {
    /// An input of so many columns.
    pub(crate) fn input(&mut self, name: &str, columns: usize) -> Name {
        self.inputs.push((name.into(), columns));
        name.into()
    }

    /// A tensor of the model.
    pub(crate) fn tensor(
        &mut self,
        name: &str,
        shape: &[usize],
        values: impl IntoIterator<Item = f32>,
    ) -> Name {
        let values = values.into_iter().collect();
        self.tensors.push(Tensor { name: name.into(), shape: shape.into(), values });
        name.into()
    }

    /// The same number everywhere.
    pub(crate) fn number(&mut self, name: &str, value: f64) -> Name {
        self.tensor(name, &[1, 1], [value as f32])
    }

    /// The result of an operation.
    pub(crate) fn node<const N: usize>(&mut self, op: Op, inputs: [&Name; N]) -> Name {
        let output = format!("step.{}", self.nodes.len() + 1);
        self.nodes.push(Node { op, inputs: inputs.map(Clone::clone).into(), output: output.clone() });
        output
    }

    /// The whole function, whose result the last operation makes.
    pub(crate) fn ending(mut self, result: Name, name: &str, columns: usize) -> Self {
        self.nodes.iter_mut().filter(|node| node.output == result).for_each(|node| node.output = name.into());
        self.output = (name.into(), columns);
        self
    }
}
