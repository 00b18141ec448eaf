//! How near each row came to its floor, at a glance.

use eval::report::{Bar, Bars};
use eval::results::{Floor, Results, Row, Status, over_seeds};
use metrics::{Metric, W2, W2_SQUARED};

/// Rows that differ in their seeds only.
pub(super) struct Group<'a> {
    pub dataset: &'a str,
    pub dim: usize,
    pub family: &'a str,
    pub method: &'a str,
    pub rows: Vec<&'a Row>,
}

impl Group<'_> {
    pub(super) fn target(&self) -> String {
        format!("{} {}D", self.dataset, self.dim)
    }

    /// The family in brackets, where there is one.
    pub(super) fn of_family(&self) -> String {
        if self.family.is_empty() { String::new() } else { format!(" ({})", self.family) }
    }
}

/// The groups of an experiment: targets in the order of their names and dimensions, methods in that of the rows.
pub(super) fn groups(results: &Results) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for row in &results.rows {
        let key = (row.dataset.as_str(), row.dim, row.family.as_str(), row.method.as_str());
        let same = |group: &&mut Group<'_>| (group.dataset, group.dim, group.family, group.method) == key;
        match groups.iter_mut().find(same) {
            Some(group) => group.rows.push(row),
            None => {
                let (dataset, dim, family, method) = key;
                groups.push(Group { dataset, dim, family, method, rows: vec![row] });
            }
        }
    }
    groups.sort_by_key(|group| (group.dataset, group.dim));
    groups
}

/// What generated points are set against where a target has several floors.
const OF_GENERATED: &str = "random against equal counts";

/// The floor of generated points of a target.
pub(crate) fn floor_of<'a>(floors: &'a [Floor], dataset: &str, dim: usize) -> Option<&'a Floor> {
    let mut ours = floors.iter().filter(|floor| floor.is_of(dataset, dim));
    ours.clone().find(|floor| floor.dataset.contains(OF_GENERATED)).or_else(|| ours.next())
}

/// Distances over floors, a figure for each target.
pub(super) fn bars(results: &Results, groups: &[Group<'_>]) -> Vec<Bars> {
    let mut found = Vec::new();
    for target in groups.chunk_by(|a, b| a.target() == b.target()) {
        let Some(first) = target.first() else { continue };
        let Some(floor) = floor_of(&results.floors, first.dataset, first.dim) else { continue };
        for metric in [W2_SQUARED, W2] {
            let Some(least) = floor.metrics.get(metric).filter(|floor| *floor > 0.0) else { continue };
            // References stand in every family with the same numbers.
            let is_first = |(index, group): &(usize, &Group<'_>)| {
                group.rows.iter().any(|row| row.run != ".")
                    || target.iter().take(*index).all(|before| before.method != group.method)
            };
            let first_ones = target.iter().enumerate().filter(is_first);
            let bars: Vec<Bar> = first_ones.filter_map(|(_, group)| group.bar(metric, least)).collect();
            let caption = format!(
                "{}: `{metric}` over its floor, the same distance between two samples of the target: the line. Lengths \
                 are logarithms.",
                first.target()
            );
            if bars.iter().any(|bar| bar.ratio.is_some()) {
                found.push(Bars { caption, bars });
                break;
            }
        }
    }
    found
}

impl Group<'_> {
    fn bar(&self, metric: &Metric, floor: f64) -> Option<Bar> {
        let name = format!("`{}`{}", self.method, self.of_family());
        let lost = self.rows.iter().filter(|row| row.status != Status::Ok).count();
        let lost =
            if lost == 0 { String::new() } else { format!("; {lost} of {} diverged", self.rows.len()) };
        let Some(summary) = over_seeds(&self.rows, metric) else {
            return (!lost.is_empty()).then(|| Bar { name, ratio: None, words: "diverged".into() });
        };
        Some(Bar::over_floor(name, summary.mean / floor, &format!("{summary}{lost}")))
    }
}
