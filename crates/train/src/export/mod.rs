//! Functions of a trained model for other programs: as safetensors with a small JSON, or as ONNX.
//!
//! Both hold the same graph of a dozen operations on single-precision matrices, one point a row in the user's unit:
//! ONNX as its own format, safetensors as metadata under `graph` beside the numbers.

mod function;
mod graph;
mod network;
mod onnx;

pub use function::Function;
pub use graph::{Graph, Node, Op, Tensor};

use crate::TrainError;
use safetensors::tensor::{Dtype, TensorView};
use serde_json::json;
use std::collections::HashMap;
use std::path::Path;

/// What a file is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The numbers, with the operations as JSON in the metadata.
    Safetensors,
    /// Open Neural Network Exchange.
    Onnx,
}

impl Graph {
    /// Writes the graph, whole or not at all.
    ///
    /// # Errors
    /// [`TrainError::Write`] when the file cannot be written.
    pub fn write(&self, path: &Path, format: Format, name: &str) -> Result<(), TrainError> {
        let bytes = match format {
            Format::Onnx => onnx::model(self, name),
            Format::Safetensors => self
                .safetensors(name)
                .map_err(|error| TrainError::Checkpoint { path: path.into(), reason: error.to_string() })?,
        };
        datasets::write_whole(path, |file| file.write_all(&bytes))?;
        Ok(())
    }

    fn safetensors(&self, name: &str) -> Result<Vec<u8>, safetensors::SafeTensorError> {
        let named = |(name, columns): &(String, usize)| json!({ "name": name, "columns": columns });
        let graph = json!({
            "name": name,
            "inputs": self.inputs.iter().map(named).collect::<Vec<_>>(),
            "nodes": self.nodes,
            "output": named(&self.output),
        });
        let bytes: Vec<Vec<u8>> = self.tensors.iter().map(Tensor::bytes).collect();
        let views = self.tensors.iter().zip(&bytes).map(|(tensor, bytes)| {
            Ok((tensor.name.as_str(), TensorView::new(Dtype::F32, tensor.shape.clone(), bytes)?))
        });
        let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
        safetensors::serialize(views, Some(HashMap::from([("graph".to_owned(), graph.to_string())])))
    }
}

impl Tensor {
    /// Little-endian, in the order of rows.
    fn bytes(&self) -> Vec<u8> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }
}
