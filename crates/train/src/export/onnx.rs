//! A graph as ONNX, <https://onnx.ai>: the few messages of its protobuf format that a graph of matrices needs.
//!
//! A message is a sequence of fields, each its number and kind in one varint, then a varint or bytes under their length. The
//! numbers are those of `onnx.proto` (intermediate representation 8, operators of version 13).

use super::graph::{Graph, Node, Op, Tensor};

const IR_VERSION: u64 = 8;
const OPERATORS: u64 = 13;
/// `TensorProto.DataType.FLOAT`.
const FLOAT: u64 = 1;
/// `AttributeProto.AttributeType.INT`.
const INT: u64 = 2;

/// The bytes of a message under way.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// A field that is a number.
    fn number(mut self, field: u64, value: u64) -> Self {
        self.varint(field << 3);
        self.varint(value);
        self
    }

    /// A field that is text, bytes or a message.
    fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    fn message(self, field: u64, message: Self) -> Self {
        self.bytes(field, &message.0)
    }
}

/// The `ModelProto` of a graph.
pub(super) fn model(graph: &Graph, name: &str) -> Vec<u8> {
    let operators = Message::default().number(2, OPERATORS);
    let model = Message::default().number(1, IR_VERSION).text(2, "oplus").text(3, env!("CARGO_PKG_VERSION"));
    model.message(7, whole(graph, name)).message(8, operators).0
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

#[cfg(test)]
mod tests {
    use super::Message;

    #[test]
    fn messages_are_those_of_the_published_example() {
        // "Encoding", Protocol Buffers Documentation: 150 as field 1, and "testing" as field 2.
        assert_eq!(Message::default().number(1, 150).0, [0x08, 0x96, 0x01]);
        let testing = [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67];
        assert_eq!(Message::default().text(2, "testing").0, testing);
    }
}
