//! The whole state of a run in one safetensors file, written whole or not at all.

use crate::TrainError;
use crate::adversarial::Trainer;
use crate::player::Player;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Writes the trainer's state.
///
/// # Errors
/// [`TrainError::Write`] when the file cannot be written; [`TrainError::Checkpoint`] when it cannot be encoded.
pub fn save(trainer: &Trainer, path: &Path) -> Result<(), TrainError> {
    let mut blobs: Vec<(String, Dtype, Vec<u8>)> = Vec::new();
    for (name, player) in [("potential", &trainer.flow), ("critic", &trainer.critic)] {
        let parts: [(&str, &[f32]); 4] = [
            ("parameters", &player.parameters),
            ("average", &player.average),
            ("adam.first", &player.adam.first),
            ("adam.second", &player.adam.second),
        ];
        for (part, values) in parts {
            let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            blobs.push((format!("{name}.{part}"), Dtype::F32, bytes));
        }
        if let Some(spectral) = &player.spectral {
            let state = spectral.flatten().iter().flat_map(|v| v.to_le_bytes()).collect();
            blobs.push((format!("{name}.spectral"), Dtype::F64, state));
        }
    }
    let unusable =
        |e: safetensors::SafeTensorError| TrainError::Checkpoint { path: path.into(), reason: e.to_string() };
    let mut views = Vec::new();
    for (name, dtype, bytes) in &blobs {
        let width = if *dtype == Dtype::F32 { 4 } else { 8 };
        views.push((
            name.as_str(),
            TensorView::new(*dtype, vec![bytes.len() / width], bytes).map_err(unusable)?,
        ));
    }
    let counters = HashMap::from([
        ("format".to_owned(), "oplus-1".to_owned()),
        ("iteration".to_owned(), trainer.iteration.to_string()),
        ("potential.adam.steps".to_owned(), trainer.flow.adam.steps.to_string()),
        ("critic.adam.steps".to_owned(), trainer.critic.adam.steps.to_string()),
    ]);
    let encoded = safetensors::serialize(views, Some(counters)).map_err(unusable)?;
    datasets::write_whole(path, |file| file.write_all(&encoded))?;
    Ok(())
}

/// Reads a state back into a trainer of the same configuration.
///
/// # Errors
/// [`TrainError::Checkpoint`] when the file is damaged or of other networks.
pub fn restore(trainer: &mut Trainer, path: &Path) -> Result<(), TrainError> {
    let file = File::open(path)?;
    let iteration = file.counter("iteration")?;
    file.player("potential", &mut trainer.flow)?;
    file.player("critic", &mut trainer.critic)?;
    trainer.iteration = iteration;
    Ok(())
}

/// The averaged parameters of both players, and the iteration they are from.
///
/// # Errors
/// [`TrainError::Checkpoint`] when the file is damaged.
pub fn averages(path: &Path) -> Result<(Vec<f32>, Vec<f32>, u64), TrainError> {
    let file = File::open(path)?;
    Ok((file.floats("potential.average")?, file.floats("critic.average")?, file.counter("iteration")?))
}

struct File {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl File {
    fn open(path: &Path) -> Result<Self, TrainError> {
        let bytes = std::fs::read(path).map_err(|source| TrainError::Io { path: path.into(), source })?;
        Ok(Self { path: path.into(), bytes })
    }

    fn unusable(&self, reason: impl ToString) -> TrainError {
        TrainError::Checkpoint { path: self.path.clone(), reason: reason.to_string() }
    }

    fn counter(&self, name: &str) -> Result<u64, TrainError> {
        let (_, metadata) = SafeTensors::read_metadata(&self.bytes).map_err(|e| self.unusable(e))?;
        let value = metadata.metadata().as_ref().and_then(|m| m.get(name)).and_then(|v| v.parse().ok());
        value.ok_or_else(|| self.unusable(format!("it has no counter {name}")))
    }

    fn bytes_of(&self, name: &str) -> Result<Vec<u8>, TrainError> {
        let tensors = SafeTensors::deserialize(&self.bytes).map_err(|e| self.unusable(e))?;
        Ok(tensors.tensor(name).map_err(|e| self.unusable(e))?.data().to_vec())
    }

    fn floats(&self, name: &str) -> Result<Vec<f32>, TrainError> {
        let four = |c: &[u8]| c.try_into().map_or(f32::NAN, f32::from_le_bytes);
        Ok(self.bytes_of(name)?.chunks_exact(4).map(four).collect())
    }

    fn player(&self, name: &str, player: &mut Player) -> Result<(), TrainError> {
        let fitting = |part: &str, count: usize| {
            let values = self.floats(&format!("{name}.{part}"))?;
            if values.len() == count {
                Ok(values)
            } else {
                Err(self.unusable(format!("{name}.{part} has {} values, the network {count}", values.len())))
            }
        };
        let count = player.parameters.len();
        let (parameters, average) = (fitting("parameters", count)?, fitting("average", count)?);
        let (first, second) = (fitting("adam.first", count)?, fitting("adam.second", count)?);
        if let Some(spectral) = &mut player.spectral {
            let eight = |c: &[u8]| c.try_into().map_or(f64::NAN, f64::from_le_bytes);
            let state: Vec<f64> =
                self.bytes_of(&format!("{name}.spectral"))?.chunks_exact(8).map(eight).collect();
            spectral.restore(&state).map_err(|e| self.unusable(e))?;
        }
        player.adam.steps = self.counter(&format!("{name}.adam.steps"))?;
        (player.parameters, player.average) = (parameters, average);
        (player.adam.first, player.adam.second) = (first, second);
        Ok(())
    }
}
