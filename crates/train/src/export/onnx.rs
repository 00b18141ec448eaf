//! A graph as ONNX, <https://onnx.ai>: the few messages of its protobuf format that a graph of matrices needs.
//!
//! The numbers of fields are those of `onnx.proto` (intermediate representation 8, operators of version 13).

use super::graph::{Graph, Node, Op, Tensor};
use crate::protobuf::Message;

const IR_VERSION: u64 = 8;
const OPERATORS: u64 = 13;
/// `TensorProto.DataType.FLOAT`.
const FLOAT: u64 = 1;
/// `AttributeProto.AttributeType.INT`.
const INT: u64 = 2;

/// The `ModelProto` of a graph.
pub(super) fn model(graph: &Graph, name: &str) -> Vec<u8> {
    let operators = Message::default().number(2, OPERATORS);
    let model = Message::default().number(1, IR_VERSION).text(2, "oplus").text(3, env!("CARGO_PKG_VERSION"));
    model.message(7, whole(graph, name)).message(8, operators).finish()
}

/// `GraphProto`.
fn whole(graph: &Graph, name: &str) -> Message {
    let mut message = Message::default();
    for step in &graph.nodes {
        message = message.message(1, node(step));
    }
    message = message.text(2, name);
    for numbers in &graph.tensors {
        message = message.message(5, tensor(numbers));
    }
    for (input, columns) in &graph.inputs {
        message = message.message(11, value(input, *columns));
    }
    let (output, columns) = &graph.output;
    message.message(12, value(output, *columns))
}

/// `NodeProto`.
fn node(node: &Node) -> Message {
    let mut message = Message::default();
    for input in &node.inputs {
        message = message.text(1, input);
    }
    message = message.text(2, &node.output).text(4, &format!("{:?}", node.op));
    match node.op {
        Op::Gemm => message.message(5, integer("transB", 1)),
        Op::Concat => message.message(5, integer("axis", 1)),
        _ => message,
    }
}

/// `AttributeProto` of an integer.
fn integer(name: &str, value: u64) -> Message {
    Message::default().text(1, name).number(3, value).number(20, INT)
}

/// `TensorProto`.
fn tensor(tensor: &Tensor) -> Message {
    let mut message = Message::default();
    for &size in &tensor.shape {
        message = message.number(1, size as u64);
    }
    message.number(2, FLOAT).text(8, &tensor.name).bytes(9, &tensor.bytes())
}

/// `ValueInfoProto` of n rows.
fn value(name: &str, columns: usize) -> Message {
    let rows = Message::default().text(2, "n");
    let shape = Message::default().message(1, rows).message(1, Message::default().number(1, columns as u64));
    let kind = Message::default().number(1, FLOAT).message(2, shape);
    Message::default().text(1, name).message(2, Message::default().message(1, kind))
}
