//! The files that a run reads its points from.

use super::Inputs;
use crate::TrainError;
use crate::config::{Configuration, Points};
use crate::digest;
use crate::run::newest_checkpoint;
use datasets::manifest::find;
use std::fmt::Display;
use std::path::PathBuf;

/// A file that a run reads points from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// What the manifest calls it: the section of the configuration, or the data set with the name in it. A file may
    /// move.
    pub name: String,
    /// Where it is now.
    pub path: PathBuf,
    /// SHA-256 of its contents.
    pub sha256: String,
}

/// The files that a run reads its points from; one that is missing is said better by its reader, and left out.
pub(crate) fn data_files(config: &impl Configuration, inputs: &Inputs) -> Result<Vec<DataFile>, TrainError> {
    let beginning = inputs.beginning(config.initial());
    let sections = [("initial", beginning.as_ref()), ("data", config.data())];
    let named = sections.into_iter().flat_map(|(section, points)| match points {
        Points::File { file, .. } => vec![(section.to_owned(), file.clone())],
        Points::Run { folder, .. } => newest_checkpoint(folder)
            .ok()
            .flatten()
            .into_iter()
            .map(|file| (section.to_owned(), file))
            .collect(),
        Points::Digits { set, .. } => of_data_set(set.name(), inputs),
        Points::Images { set } => of_data_set(set.name(), inputs),
        Points::KnownMap { map, dim, .. } => named(map, map.files(*dim, &inputs.data_sets)),
        &Points::Funnels { set, funnels, dim, .. } => named(set, set.file(funnels, dim, &inputs.data_sets)),
        Points::Cells { .. } => named("cells", datasets::cells_files(&inputs.data_sets)),
        Points::Normal { .. }
        | Points::Uniform { .. }
        | Points::Logistic { .. }
        | Points::Target { .. }
        | Points::StudentT { .. }
        | Points::Array { .. } => Vec::new(),
    });
    let there = named.filter(|(_, path)| path.is_file());
    there.map(|(name, path)| Ok(DataFile { sha256: digest::of_file(&path)?, name, path })).collect()
}

/// Files with what the manifest calls them: `set`/their names.
fn named(set: impl Display, files: impl IntoIterator<Item = PathBuf>) -> Vec<(String, PathBuf)> {
    let name = |path: &PathBuf| format!("{set}/{}", path.file_name().unwrap_or_default().display());
    files.into_iter().map(|path| (name(&path), path)).collect()
}

/// The files of a data set of others, each with what the manifest calls it.
fn of_data_set(name: &str, inputs: &Inputs) -> Vec<(String, PathBuf)> {
    let files = find(name).map_or(&[][..], |data_set| data_set.files);
    let folder = inputs.data_sets.join(name);
    files.iter().map(|file| (format!("{name}/{}", file.name), folder.join(file.name))).collect()
}
