//! Several runs side by side.

use super::curves::side_by_side;
use super::pictures;
use crate::compare::{Member, differences, target};
use crate::run_folder::REPORT_FILE;
use anyhow::Result;
use eval::Summary;
use eval::report::{Bar, Bars, Block, Figure, Link, Page, Section, Table};
use eval::results::Status;
use eval::summary::significant;
use std::path::Path;

/// Runs of two kinds differ in more keys than this, and they are folded.
const MOST_KEYS: usize = 20;

/// The page of runs, whose links are relative to the folder that it is written in.
pub(crate) fn compare(members: &[Member], folder: &Path) -> Result<Page> {
    let section = |heading: &str, blocks| Section { heading: heading.into(), blocks, ..Section::default() };
    let mut sections =
        vec![section("Distance to the data", vec![Block::Bars(bars(members)), verdicts(members)])];
    let pictures = samples(members)?;
    if !pictures.is_empty() {
        sections.push(section("Samples", pictures));
    }
    let (differing, settings) = settings(members);
    let heading = "What differs in their configurations".into();
    sections.push(Section { heading, folded: differing > MOST_KEYS, blocks: vec![settings] });
    let figures = curves(members);
    if !figures.is_empty() {
        sections.push(section("On the way", vec![Block::Figures(figures)]));
    }
    sections.push(section("Measures", vec![Block::Table(measures(members))]));
    sections.push(section("Reports", vec![Block::Links(links(members, folder))]));
    let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let title = format!("Side by side: {}", names.join(", "));
    Ok(Page { title, status: status(members), sections, refresh: None })
}

/// What can be compared.
fn status(members: &[Member]) -> String {
    let targets = targets(members);
    let count = members.len();
    match targets.as_slice() {
        [target] => format!("{count} runs to {target}."),
        _ => format!(
            "{count} runs to {} targets ({}): their ratios to the floor can be compared, but distances, samples and curves \
             only among runs to the same target.",
            targets.len(),
            targets.join(", ")
        ),
    }
}

/// The targets in the order of the runs.
fn targets(members: &[Member]) -> Vec<String> {
    let mut targets: Vec<String> = Vec::new();
    for target in members.iter().map(target) {
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    targets
}

fn bars(members: &[Member]) -> Bars {
    let bar = |member: &Member| {
        let name = format!("`{}`", member.name);
        let Some(row) = member.row() else {
            return Bar { name, ratio: None, words: "not measured yet".into() };
        };
        if let Status::Diverged { step, .. } = row.status {
            return Bar { name, ratio: None, words: format!("diverged at iteration {step}") };
        }
        match member.judged() {
            Some((metric, value, floor)) => {
                let what = format!("{metric} {} over {}", significant(value), significant(floor));
                Bar::over_floor(name, value / floor, &what)
            }
            None => Bar { name, ratio: None, words: "measured without a floor".into() },
        }
    };
    Bars {
        caption: "Over its floor, the same distance between two samples of the data: the line. Lengths are logarithms."
            .into(),
        bars: members.iter().map(bar).collect(),
    }
}

/// How each run is judged, in words.
fn verdicts(members: &[Member]) -> Block {
    let words = |member: &Member| match member.row() {
        Some(row) => {
            let verdict = row.verdict.as_ref().map(|verdict| format!(" {}.", verdict.words));
            let how = match &row.status {
                Status::Ok => format!("{} iterations in {:.1} s.", row.iterations, row.seconds),
                diverged => format!("{}.", super::run::status(diverged)),
            };
            how + &verdict.unwrap_or_default()
        }
        None => member.progress(),
    };
    Block::Facts(members.iter().map(|member| (member.name.clone(), words(member))).collect())
}

/// The samples of each target over the same data.
fn samples(members: &[Member]) -> Result<Vec<Block>> {
    let mut blocks = Vec::new();
    for of_target in targets(members) {
        let same: Vec<&Member> = members.iter().filter(|member| target(member) == of_target).collect();
        let runs: Vec<_> = same
            .iter()
            .filter_map(|member| Some((member.folder.as_path(), member.row()?, member.name.as_str())))
            .collect();
        let figures = pictures::beside(&runs)?;
        if !figures.is_empty() {
            blocks.push(Block::Text(format!(
                "{of_target}: generated points over the data of one run, on one scale."
            )));
            blocks.push(Block::Pictures(figures));
        }
    }
    Ok(blocks)
}

/// How many keys differ, and how.
fn settings(members: &[Member]) -> (usize, Block) {
    let rows = differences(members);
    if rows.is_empty() {
        return (0, Block::Text("Nothing: it is the same configuration.".into()));
    }
    let names = members.iter().map(|member| member.name.clone());
    let head = std::iter::once("key".to_owned()).chain(names).collect();
    (rows.len(), Block::Table(Table { caption: "All other keys have one value.".into(), head, rows }))
}

/// The records of runs to each target.
fn curves(members: &[Member]) -> Vec<Figure> {
    let targets = targets(members);
    let of = |of_target: &String| {
        let same = members.iter().filter(|member| target(member) == *of_target);
        let runs: Vec<_> =
            same.filter_map(|member| Some((member.name.as_str(), member.records.as_ref()?))).collect();
        let of_several = if targets.len() > 1 { format!("{of_target}: ") } else { String::new() };
        side_by_side(&runs, &of_several)
    };
    targets.iter().flat_map(of).collect()
}

/// Every metric that a run has, beside the others.
fn measures(members: &[Member]) -> Table {
    let cell = |member: &Member, metric| {
        let metrics = &member.row()?.metrics;
        let mean = metrics.get(metric)?;
        Some(Summary { mean, sd: metrics.deviation(metric), count: 1 }.to_string())
    };
    let row = |metric| {
        let cells: Vec<Option<String>> = members.iter().map(|member| cell(member, metric)).collect();
        cells.iter().any(Option::is_some).then(|| {
            let cells = cells.into_iter().map(|cell| cell.unwrap_or("–".into()));
            let name: &str = metric.name;
            std::iter::once(name.to_owned()).chain(cells).chain([metric.better.to_string()]).collect()
        })
    };
    let names = members.iter().map(|member| member.name.clone());
    Table {
        caption: "± over the pairs of clouds of each run.".into(),
        head: std::iter::once("measure".to_owned()).chain(names).chain(["better".to_owned()]).collect(),
        rows: metrics::all().filter_map(row).collect(),
    }
}

fn links(members: &[Member], folder: &Path) -> Vec<Link> {
    let link = |member: &Member| {
        let report = member.folder.join(REPORT_FILE);
        let address = report.is_file().then(|| address(&report, folder)).flatten();
        let words = if address.is_some() { "" } else { "has no report yet" };
        Link { name: member.name.clone(), address, words: words.into() }
    };
    members.iter().map(link).collect()
}

/// A file as it is seen from a folder.
fn address(file: &Path, folder: &Path) -> Option<String> {
    let (file, folder) = (file.canonicalize().ok()?, folder.canonicalize().ok()?);
    let shared = file.components().zip(folder.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(shared).map(|_| "..".to_owned());
    let down = file.components().skip(shared).map(|part| part.as_os_str().to_string_lossy().into_owned());
    Some(up.chain(down).collect::<Vec<_>>().join("/"))
}
