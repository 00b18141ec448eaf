//! What stands in the reports.

mod curves;
mod experiment;
mod run;
mod steps;
mod sweep;

pub(crate) use experiment::{Comparison, experiment};
pub(crate) use run::{paths, run};
pub(crate) use sweep::sweep;

use crate::manifest::Manifest;
use eval::report::{Block, Section};

/// Where the results come from.
fn provenance(manifest: &Manifest) -> Section {
    let unknown = || "unknown".to_owned();
    let mut facts = vec![
        ("command".to_owned(), manifest.command.join(" ")),
        ("preset".into(), manifest.preset.clone()),
        ("device".into(), manifest.device.clone()),
        ("oplus".into(), manifest.version.clone()),
        ("revision".into(), manifest.git_revision.clone().unwrap_or_else(unknown)),
        ("SHA-256 of Cargo.lock".into(), manifest.cargo_lock_sha256.clone()),
        ("platform".into(), manifest.platform.clone()),
        ("vectors".into(), manifest.vector_bits.map_or_else(unknown, |bits| format!("{bits} bits"))),
        ("threads".into(), manifest.threads.to_string()),
    ];
    facts.extend(
        manifest.data_sha256.iter().map(|(file, digest)| (format!("SHA-256 of {file}"), digest.clone())),
    );
    Section { heading: "Provenance".into(), blocks: vec![Block::Facts(facts)], ..Section::default() }
}
