//! What stands in the reports.

mod compare;
mod curves;
mod experiment;
mod glance;
mod pictures;
mod run;
mod steps;
mod sweep;
mod unfinished;

pub(crate) use compare::compare;
pub(crate) use experiment::{Comparison, experiment};
pub(crate) use glance::floor_of;
pub(crate) use pictures::{now, paths};
pub(crate) use run::run;
pub(crate) use sweep::sweep;
pub(crate) use unfinished::unfinished;

use crate::manifest::Manifest;
use eval::report::{Block, Section};
use eval::results::Results;

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
    Section { heading: "Provenance".into(), folded: true, blocks: vec![Block::Facts(facts)] }
}

/// What each metric of the results is.
fn definitions(results: &Results) -> Section {
    let rows =
        results.rows.iter().map(|row| &row.metrics).chain(results.floors.iter().map(|floor| &floor.metrics));
    let there = |name: &str| rows.clone().any(|metrics| metrics.iter().any(|(known, _)| known == name));
    let facts = metrics::all()
        .filter(|metric| there(metric.name))
        .map(|metric| (metric.name.to_owned(), format!("{}; unit {}", metric.definition, metric.unit)));
    Section {
        heading: "What the measures are".into(),
        folded: true,
        blocks: vec![Block::Facts(facts.collect())],
    }
}
