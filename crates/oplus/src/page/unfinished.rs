//! The report of a run that is trained now, or was interrupted.

use super::curves::curves;
use super::{pictures, provenance, run};
use crate::campaign::duration;
use crate::kinds::{data_sets, dataset, inputs};
use crate::manifest::Manifest;
use anyhow::Result;
use eval::report::{Block, Page, Section};
use measure::Records;
use std::path::Path;
use train::run::{CONFIG_FILE, newest_checkpoint, stored_config};
use train::{Config, Model};

/// Seconds after which a browser reads the page again.
const RELOAD: u32 = 30;
/// Points of a cloud: few enough that a training hardly waits for them.
const POINTS: usize = 500;

/// The page of a run folder from its newest checkpoint and its records.
pub(crate) fn unfinished(folder: &Path, is_under_way: bool) -> Result<Page> {
    let config = stored_config(folder)?;
    let text = std::fs::read_to_string(folder.join(CONFIG_FILE))?;
    let records = Records::read(folder).ok();
    let section = |heading: &str, blocks| Section { heading: heading.into(), blocks, ..Section::default() };
    let mut sections = Vec::new();
    if newest_checkpoint(folder)?.is_some() {
        let (iteration, figures) = samples(folder, &config)?;
        if !figures.is_empty() {
            let heading = format!("Samples after {iteration} iterations");
            sections.push(section(&heading, vec![Block::Figures(figures)]));
        }
    }
    let given = run::given(&config);
    let figures = records
        .as_ref()
        .map(|records| curves(records, |metric| given.iter().all(|known| *known != metric)).0);
    if let Some(figures) = figures.filter(|figures| !figures.is_empty()) {
        sections.push(section("On the way", vec![Block::Figures(figures)]));
    }
    let blocks = vec![Block::Code(text)];
    sections.push(Section { heading: "Configuration".into(), folded: true, blocks });
    sections.push(provenance(&Manifest::read(folder)?));
    Ok(Page {
        title: run::title(&config)?,
        status: status(&config, records.as_ref().and_then(Records::reached), is_under_way),
        sections,
        refresh: is_under_way.then_some(RELOAD),
    })
}

/// How far the run has come, and what becomes of it.
fn status(config: &Config, reached: Option<(u64, f64)>, is_under_way: bool) -> String {
    let iterations = config.training().iterations;
    let (step, seconds) = reached.unwrap_or_default();
    let far = format!("iteration {step} of {iterations} after {seconds:.0} s of training");
    let what = format!("{} {}", run::what(config), dataset(config));
    if !is_under_way {
        return format!("{what}: not finished, {far}; it goes on with `resume`.");
    }
    let left = seconds * iterations.saturating_sub(step) as f64 / step.max(1) as f64;
    let left = if step == 0 { String::new() } else { format!(", about {} left", duration(left)) };
    format!(
        "{what}, in training: {far}{left}. This page is written anew, and reads itself again every {RELOAD} s."
    )
}

/// What the newest checkpoint generates, beside points of the data; none where it leads out of the finite numbers.
fn samples(folder: &Path, config: &Config) -> Result<(u64, Vec<eval::report::Figure>)> {
    let model = Model::load_with(folder, &data_sets())?;
    let data = measure::target(config, &inputs(), POINTS)?;
    Ok((model.iteration(), pictures::now(&model, &data, POINTS)?))
}
