//! The whole state of a run in one safetensors file, which carries the SHA-256 of its contents and is written whole or
//! not at all.

use crate::TrainError;
use crate::digest::sha256;
use crate::optim::Adam;
use crate::player::Player;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The name of the digest among the counters.
const DIGEST: &str = "sha256";
/// What stands in the place of the digest while it is computed.
const BLANK: &str = "0000000000000000000000000000000000000000000000000000000000000000";

#[cfg(test)]
mod tests;

/// The state of a training, as it goes into a file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    arrays: Vec<(String, Dtype, Vec<u8>)>,
    counters: HashMap<String, String>,
}

impl State {
    /// Adds an array in single precision.
    pub fn floats(&mut self, name: &str, values: &[f32]) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.arrays.push((name.to_owned(), Dtype::F32, bytes));
    }

    /// Adds an array in double precision.
    pub fn doubles(&mut self, name: &str, values: &[f64]) {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.arrays.push((name.to_owned(), Dtype::F64, bytes));
    }

    /// Adds a count.
    pub fn counter(&mut self, name: &str, value: u64) {
        self.counters.insert(name.to_owned(), value.to_string());
    }

    /// Adds an optimiser.
    pub fn adam(&mut self, name: &str, adam: &Adam) {
        self.floats(&format!("{name}.adam.first"), &adam.first);
        self.floats(&format!("{name}.adam.second"), &adam.second);
        self.counter(&format!("{name}.adam.steps"), adam.steps);
    }

    /// Adds a network with everything that its training needs.
    pub fn player(&mut self, name: &str, player: &Player) {
        self.floats(&format!("{name}.parameters"), &player.parameters);
        self.floats(&format!("{name}.average"), &player.average);
        self.adam(name, &player.adam);
        let reparametrisation = player.reparametrisation.flatten();
        if !reparametrisation.is_empty() {
            self.doubles(&reparametrisation_of(name), &reparametrisation);
        }
    }

    /// The bytes of the file: safetensors with the counters and the digest as metadata.
    fn encode(&self) -> Result<Vec<u8>, safetensors::SafeTensorError> {
        let mut views = Vec::new();
        for (name, dtype, bytes) in &self.arrays {
            let width = if *dtype == Dtype::F32 { 4 } else { 8 };
            views.push((name.as_str(), TensorView::new(*dtype, vec![bytes.len() / width], bytes)?));
        }
        let mut metadata = self.counters.clone();
        metadata.insert(DIGEST.into(), BLANK.into());
        let mut bytes = safetensors::serialize(views, Some(metadata))?;
        if let Some(place) = place_of_digest(&bytes) {
            let digest = digest_around(&bytes, &place);
            bytes.splice(place, digest.into_bytes());
        }
        Ok(bytes)
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), TrainError> {
        let bytes = self.encode().map_err(|e| unusable(path, e))?;
        datasets::write_whole(path, |file| file.write_all(&bytes))?;
        Ok(())
    }
}

/// Where the digest stands in the head of a file.
fn place_of_digest(bytes: &[u8]) -> Option<Range<usize>> {
    let (length, rest) = bytes.split_first_chunk()?;
    let head = rest.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let before = format!("\"{DIGEST}\":\"");
    let start = head.windows(before.len()).position(|window| window == before.as_bytes())?;
    let start = length.len() + start + before.len();
    (start + BLANK.len() <= length.len() + head.len()).then(|| start..start + BLANK.len())
}

/// The digest of every other byte of a file.
fn digest_around(bytes: &[u8], place: &Range<usize>) -> String {
    let piece = |range| bytes.get(range).unwrap_or_default();
    sha256([piece(0..place.start), BLANK.as_bytes(), piece(place.end..bytes.len())])
}

fn unusable(path: &Path, reason: impl ToString) -> TrainError {
    TrainError::Checkpoint { path: path.into(), reason: reason.to_string() }
}

/// Where the state of a network's reparametrisation is; that of spectral normalisation is the only one there is.
fn reparametrisation_of(name: &str) -> String {
    format!("{name}.spectral")
}

/// The state in a file.
#[derive(Debug)]
pub struct Stored {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Stored {
    /// Reads a checkpoint.
    ///
    /// # Errors
    /// [`TrainError::Io`] when there is none, [`TrainError::Damaged`] when it is not what was written: every byte that is
    /// changed or missing is noticed.
    pub fn open(path: &Path) -> Result<Self, TrainError> {
        let bytes = std::fs::read(path).map_err(|source| TrainError::Io { path: path.into(), source })?;
        let damaged = |reason| TrainError::Damaged { path: path.into(), reason };
        if bytes.is_empty() {
            return Err(damaged("it is empty"));
        }
        let place = place_of_digest(&bytes).ok_or_else(|| damaged("its head is damaged or cut off"))?;
        if bytes.get(place.clone()) != Some(digest_around(&bytes, &place).as_bytes()) {
            return Err(damaged("its SHA-256 is not the one that it was written with"));
        }
        Ok(Self { path: path.into(), bytes })
    }

    /// A state as it would be read back from a file, without one.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] when two of its arrays have the same name.
    pub fn in_memory(state: &State) -> Result<Self, TrainError> {
        let path = PathBuf::from("in memory");
        let bytes = state.encode().map_err(|e| unusable(&path, e))?;
        Ok(Self { path, bytes })
    }

    fn unusable(&self, reason: impl ToString) -> TrainError {
        unusable(&self.path, reason)
    }

    /// A count.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] when it is not there, as in the methods below.
    pub fn counter(&self, name: &str) -> Result<u64, TrainError> {
        let (_, metadata) = SafeTensors::read_metadata(&self.bytes).map_err(|e| self.unusable(e))?;
        let value = metadata.metadata().as_ref().and_then(|m| m.get(name)).and_then(|v| v.parse().ok());
        value.ok_or_else(|| self.unusable(format!("it has no counter {name}")))
    }

    /// A count that is a size in memory.
    ///
    /// # Errors
    /// As above.
    pub fn size(&self, name: &str) -> Result<usize, TrainError> {
        usize::try_from(self.counter(name)?).map_err(|e| self.unusable(e))
    }

    fn bytes_of(&self, name: &str) -> Result<Vec<u8>, TrainError> {
        let tensors = SafeTensors::deserialize(&self.bytes).map_err(|e| self.unusable(e))?;
        Ok(tensors.tensor(name).map_err(|e| self.unusable(e))?.data().to_vec())
    }

    /// Whether there is an array of this name.
    ///
    /// # Errors
    /// [`TrainError::Checkpoint`] when the file is damaged.
    pub fn has(&self, name: &str) -> Result<bool, TrainError> {
        let tensors = SafeTensors::deserialize(&self.bytes).map_err(|e| self.unusable(e))?;
        Ok(tensors.names().contains(&name))
    }

    /// An array in single precision.
    ///
    /// # Errors
    /// As above.
    pub fn floats(&self, name: &str) -> Result<Vec<f32>, TrainError> {
        let four = |c: &[u8]| c.try_into().map_or(f32::NAN, f32::from_le_bytes);
        Ok(self.bytes_of(name)?.chunks_exact(4).map(four).collect())
    }

    /// An array in double precision.
    ///
    /// # Errors
    /// As above.
    pub fn doubles(&self, name: &str) -> Result<Vec<f64>, TrainError> {
        let eight = |c: &[u8]| c.try_into().map_or(f64::NAN, f64::from_le_bytes);
        Ok(self.bytes_of(name)?.chunks_exact(8).map(eight).collect())
    }

    /// An array in single precision that must have `count` values.
    ///
    /// # Errors
    /// As above, and for another length.
    pub fn fitting(&self, name: &str, count: usize) -> Result<Vec<f32>, TrainError> {
        let values = self.floats(name)?;
        if values.len() == count {
            Ok(values)
        } else {
            Err(self.unusable(format!("{name} has {} values, the network {count}", values.len())))
        }
    }

    /// An optimiser for as many parameters as `adam`.
    ///
    /// # Errors
    /// As above.
    pub fn adam(&self, name: &str, adam: &Adam) -> Result<Adam, TrainError> {
        Ok(Adam {
            first: self.fitting(&format!("{name}.adam.first"), adam.first.len())?,
            second: self.fitting(&format!("{name}.adam.second"), adam.second.len())?,
            steps: self.counter(&format!("{name}.adam.steps"))?,
        })
    }

    /// Puts a network back; an error leaves it unchanged.
    ///
    /// # Errors
    /// As above.
    pub fn player(&self, name: &str, player: &mut Player) -> Result<(), TrainError> {
        let parameters = self.fitting(&format!("{name}.parameters"), player.parameters.len())?;
        let average = self.fitting(&format!("{name}.average"), player.parameters.len())?;
        let adam = self.adam(name, &player.adam)?;
        let array = reparametrisation_of(name);
        let state = if self.has(&array)? { self.doubles(&array)? } else { Vec::new() };
        player.reparametrisation.restore(&state).map_err(|e| self.unusable(e))?;
        (player.parameters, player.average, player.adam) = (parameters, average, adam);
        Ok(())
    }
}
