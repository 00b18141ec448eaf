//! The table of an experiment: methods beside each other, with published numbers and floors.

use super::Table;
use crate::Summary;
use crate::results::{Floor, Protocol, Results, Row, Setting, Settings, Status, counted, over_seeds};
use metrics::Metric;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeSet;

/// A number that stands in print, or that was measured on what others have released.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// The method.
    pub method: String,
    /// The data set.
    pub dataset: String,
    /// The ambient dimension d.
    pub dim: usize,
    /// The metric; its name in a file.
    #[serde(with = "by_name")]
    pub metric: &'static Metric,
    /// The number as it is written in the source.
    pub value: String,
    /// Where it stands.
    pub source: String,
}

/// A metric in a file is its name.
mod by_name {
    use super::{Deserialize, Deserializer, Metric, Serializer};
    use serde::de::Error;

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives the field by reference")]
    pub(super) fn serialize<S: Serializer>(
        metric: &&'static Metric,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(metric.name)
    }

    pub(super) fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<&'static Metric, D::Error> {
        let name = String::deserialize(deserializer)?;
        metrics::find(&name).ok_or_else(|| D::Error::custom(format!("there is no metric `{name}`")))
    }
}

/// One table that is made for each family of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    /// What the table shows, after the family; `{pairs}` and `{n}` stand for the protocol's pairs and exact points,
    /// `{sinkhorn}` and `{published}` for the points of the Sinkhorn divergences.
    pub caption: &'static str,
    /// The metrics.
    pub metrics: &'static [&'static Metric],
    /// Whether the state of the runs and the floors of the targets stand in it.
    pub with_status_and_floor: bool,
    /// The metric whose numbers in print stand beside.
    pub in_print: Option<&'static Metric>,
}

/// The tables of an experiment: for each family those of `tables`, then the published numbers.
///
/// Over several seeds a cell is mean ± sd over the seeds that ended well, over all where none did, and says how many of
/// them have the number where not all do; for one seed it is mean ± sd over the pairs of clouds. Complexity: linear in the
/// rows, times the published numbers.
///
/// ```
/// use eval::{Protocol, Results, report::Columns};
/// let columns = Columns {
///     caption: "distances over {pairs} pairs",
///     metrics: &[metrics::W2_SQUARED],
///     with_status_and_floor: true,
///     in_print: None,
/// };
/// let results = Results::new("mine".into(), "smoke".into(), Protocol::SMOKE, vec![], vec![]);
/// assert!(eval::report::comparison(&results, &[], &[columns]).is_empty());
/// ```
#[must_use]
pub fn comparison(results: &Results, published: &[Published], columns: &[Columns]) -> Vec<Table> {
    let mut tables = Vec::new();
    for family in distinct(results.rows.iter().map(|row| row.family.as_str())) {
        let groups = groups(results, family);
        tables.extend(columns.iter().map(|columns| table(columns, family, &groups, results, published)));
    }
    let used: Vec<&Published> = published
        .iter()
        .filter(|number| {
            results.rows.iter().any(|row| row.dataset == number.dataset && row.dim == number.dim)
        })
        .collect();
    if !used.is_empty() {
        tables.push(sources(&used));
    }
    tables
}

/// The rows that differ in their seed only.
struct Group<'a> {
    rows: Vec<&'a Row>,
    dataset: &'a str,
    dim: usize,
    method: &'a str,
    settings: &'a Settings,
}

fn groups<'a>(results: &'a Results, family: &str) -> Vec<Group<'a>> {
    let rows: Vec<&Row> = results.rows.iter().filter(|row| row.family == family).collect();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for row in rows {
        let (dataset, dim, method, settings) =
            (row.dataset.as_str(), row.dim, row.method.as_str(), &row.settings);
        let same = |group: &&mut Group<'_>| {
            (group.dataset, group.dim, group.method, group.settings) == (dataset, dim, method, settings)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.rows.push(row),
            None => groups.push(Group { rows: vec![row], dataset, dim, method, settings }),
        }
    }
    // A stable sort: methods keep the order in which they came.
    groups.sort_by_key(|group| (group.dataset, group.dim));
    groups
}

/// The distinct values in the order of their first appearance.
fn distinct<T: Ord + Copy>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = BTreeSet::new();
    values.filter(|value| seen.insert(*value)).collect()
}

impl Group<'_> {
    fn target(&self) -> String {
        format!("{} {}D", self.dataset, self.dim)
    }

    fn status(&self) -> String {
        let diverged = |row: &&&Row| row.status != Status::Ok;
        let diverged: Vec<String> =
            self.rows.iter().filter(diverged).map(|row| row.status.to_string()).collect();
        let well = self.rows.len() - diverged.len();
        match (well, self.rows.len()) {
            (well, all) if well == all && all == 1 => "ok".into(),
            (well, all) if well == all => format!("ok ({all} seeds)"),
            (0, _) => diverged.join(", "),
            (well, all) => format!("{well} of {all} ok; {}", diverged.join(", ")),
        }
    }

    fn has(&self, metric: &Metric) -> bool {
        self.rows.iter().any(|row| row.metrics.get(metric).is_some())
    }

    fn cell(&self, metric: &Metric) -> String {
        let Some(summary) = over_seeds(&self.rows, metric) else { return "–".into() };
        match counted(&self.rows).len() {
            all if summary.count < all => format!("{summary} ({} of {all})", summary.count),
            _ => summary.to_string(),
        }
    }
}

fn table(
    columns: &Columns,
    family: &str,
    groups: &[Group<'_>],
    results: &Results,
    published: &[Published],
) -> Table {
    // A column that no row fills is left out.
    let filled = |metric: &&&Metric| groups.iter().any(|group| group.has(metric));
    let metrics: Vec<&Metric> = columns.metrics.iter().filter(filled).copied().collect();
    let printed = |metric: &&Metric| groups.iter().any(|group| in_print(group, metric, published).is_some());
    let in_print_metric = columns.in_print.filter(printed);
    let keys = distinct(groups.iter().flat_map(|group| group.settings.iter().map(|(key, _)| key)));
    let status = columns.with_status_and_floor;
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let mut cells = vec![group.target(), group.method.into()];
        cells.extend(
            keys.iter().map(|key| group.settings.get(key).map(Setting::to_string).unwrap_or_default()),
        );
        cells.extend(status.then(|| group.status()));
        cells.extend(metrics.iter().map(|metric| group.cell(metric)));
        cells.extend(in_print_metric.map(|metric| in_print(group, metric, published).unwrap_or("–".into())));
        rows.push(cells);
        let next = groups.get(index + 1).map(|next| (next.dataset, next.dim));
        if status && next != Some((group.dataset, group.dim)) {
            let same = |floor: &&Floor| floor.is_of(group.dataset, group.dim);
            rows.extend(
                results.floors.iter().filter(same).map(|floor| floor_row(floor, keys.len(), &metrics)),
            );
        }
    }
    let mut head: Vec<String> = vec!["target".into(), "method".into()];
    head.extend(keys.into_iter().map(String::from));
    head.extend(status.then(|| "status".into()));
    head.extend(metrics.iter().map(|metric| metric.name.into()));
    head.extend(in_print_metric.map(|metric| format!("in print: {metric}")));
    Table { caption: format!("{}{}", prefix(family), caption(columns, results.protocol)), head, rows }
}

fn caption(columns: &Columns, protocol: Protocol) -> String {
    let Protocol { pairs, exact_points, sinkhorn_points, sinkhorn_points_as_published } = protocol;
    let mut caption = columns.caption.to_owned();
    for (place, value) in [
        ("{pairs}", pairs),
        ("{n}", exact_points),
        ("{sinkhorn}", sinkhorn_points),
        ("{published}", sinkhorn_points_as_published),
    ] {
        caption = caption.replace(place, &value.to_string());
    }
    caption
}

fn floor_row(floor: &Floor, keys: usize, metrics: &[&Metric]) -> Vec<String> {
    let mut cells = vec![format!("{} {}D", floor.dataset, floor.dim), "floor".into()];
    // No settings, and no status.
    cells.extend(std::iter::repeat_n(String::new(), keys + 1));
    cells.extend(metrics.iter().map(|metric| match floor.metrics.get(metric) {
        Some(mean) => Summary { mean, sd: floor.metrics.deviation(metric), count: 1 }.to_string(),
        None => "–".into(),
    }));
    cells
}

fn in_print(group: &Group<'_>, metric: &Metric, published: &[Published]) -> Option<String> {
    let same = |number: &&Published| {
        (number.dataset.as_str(), number.dim, number.method.as_str())
            == (group.dataset, group.dim, group.method)
            && number.metric == metric
    };
    let values: Vec<&str> = published.iter().filter(same).map(|number| number.value.as_str()).collect();
    (!values.is_empty()).then(|| values.join("; "))
}

fn sources(published: &[&Published]) -> Table {
    let row = |number: &&Published| {
        vec![
            format!("{} {}D", number.dataset, number.dim),
            number.method.clone(),
            number.metric.name.into(),
            number.value.clone(),
            number.source.clone(),
        ]
    };
    Table {
        caption: "Numbers of others, with their sources.".into(),
        head: ["target", "method", "metric", "value", "source"].map(Into::into).into(),
        rows: published.iter().map(row).collect(),
    }
}

fn prefix(family: &str) -> String {
    if family.is_empty() { String::new() } else { format!("Family `{family}`: ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Metrics;
    use metrics::{SINKHORN_DIVERGENCE_2D_AS_PUBLISHED, W2_SQUARED};

    const COLUMNS: &[Columns] = &[
        Columns {
            caption: "n = {n} for w2_squared",
            metrics: &[metrics::W1, W2_SQUARED],
            with_status_and_floor: true,
            in_print: Some(SINKHORN_DIVERGENCE_2D_AS_PUBLISHED),
        },
        Columns {
            caption: "without status",
            metrics: &[W2_SQUARED],
            with_status_and_floor: false,
            in_print: None,
        },
    ];

    fn row(dim: usize, method: &str, seed: u64, status: Status, w2_squared: &[f64]) -> Row {
        let mut metrics = Metrics::default();
        metrics.insert_repeated(W2_SQUARED, w2_squared);
        Row {
            method: method.into(),
            family: "tuned".into(),
            dataset: "pinwheel".into(),
            dim,
            seed,
            settings: Settings::default(),
            status,
            run: ".".into(),
            samples: None,
            iterations: 1,
            seconds: 1.0,
            reading_seconds: 0.0,
            metrics,
            notes: Vec::new(),
            verdict: None,
        }
    }

    fn diverged(step: u64) -> Status {
        Status::Diverged { step, reason: "NaN".into() }
    }

    fn tables(rows: Vec<Row>) -> Vec<Table> {
        let mut metrics = Metrics::default();
        // Mean .02, standard deviation .004.
        metrics.insert_repeated(W2_SQUARED, &[0.016, 0.02, 0.024]);
        let floor = Floor { dataset: "pinwheel".into(), dim: 2, metrics };
        let published = Published {
            method: "w1w2".into(),
            dataset: "pinwheel".into(),
            dim: 2,
            metric: SINKHORN_DIVERGENCE_2D_AS_PUBLISHED,
            value: "8.0e-3".into(),
            source: "arXiv 2407.11901, Table 1".into(),
        };
        let results = Results::new("table1".into(), "full".into(), Protocol::FULL, rows, vec![floor]);
        comparison(&results, &[published], COLUMNS)
    }

    #[test]
    fn one_seed_shows_the_spread_over_pairs_and_the_floor_ends_a_target() {
        let tables = tables(vec![
            row(7, "w2", 0, diverged(31), &[]),
            row(2, "w1w2", 0, Status::Ok, &[0.01, 0.03]),
            row(2, "w1", 0, Status::Ok, &[0.5]),
        ]);
        assert_eq!(tables.len(), 3);
        let short: Vec<Vec<&str>> = tables[0]
            .rows
            .iter()
            .map(|cells| [0, 1, 2, 3, 4].map(|i| cells.get(i).map_or("", String::as_str)).into())
            .collect();
        assert_eq!(
            short,
            [
                ["pinwheel 2D", "w1w2", "ok", "0.0200 ± 0.0141", "8.0e-3"],
                ["pinwheel 2D", "w1", "ok", "0.500", "–"],
                ["pinwheel 2D", "floor", "", "0.0200 ± 0.00400", ""],
                ["pinwheel 7D", "w2", "diverged at 31", "–", "–"],
            ]
        );
        assert!(tables[0].caption.contains("n = 2000 for w2_squared"));
        assert!(tables[2].to_markdown().contains("arXiv 2407.11901"));
    }

    #[test]
    fn rows_of_other_settings_are_not_put_together() {
        let with = |lambda: f64, row: Row| {
            let settings = [("flow.lambda".to_owned(), Setting::Number(lambda))].into_iter().collect();
            Row { settings, ..row }
        };
        let tables = tables(vec![
            with(0.5, row(2, "w1w2", 0, Status::Ok, &[1.0])),
            with(0.5, row(2, "w1w2", 1, Status::Ok, &[3.0])),
            with(0.1, row(2, "w1w2", 0, diverged(4), &[])),
        ]);
        assert_eq!(tables[0].head[..4], ["target", "method", "flow.lambda", "status"]);
        // 2 ± √2; the floor has no settings.
        assert_eq!(tables[0].rows[0][1..5], ["w1w2", "0.5", "ok (2 seeds)", "2.00 ± 1.41"]);
        assert_eq!(tables[0].rows[1][1..5], ["w1w2", "0.1", "diverged at 4", "–"]);
        assert_eq!(tables[0].rows[2][1..5], ["floor", "", "", "0.0200 ± 0.00400"]);
    }

    #[test]
    fn several_seeds_show_their_own_spread() {
        let tables = tables(vec![
            row(2, "w1w2", 0, Status::Ok, &[0.0, 1.0]),
            row(2, "w1w2", 1, Status::Ok, &[1.0, 2.0]),
            row(2, "w1w2", 2, diverged(5), &[]),
        ]);
        assert_eq!(tables[0].rows[0][2], "2 of 3 ok; diverged at 5");
        // Means .5 and 1.5: 1 ± √½.
        assert_eq!(tables[0].rows[0][3], "1.00 ± 0.707");
    }

    #[test]
    fn seeds_that_diverged_or_lack_a_number_are_in_no_mean() {
        let tables = tables(vec![
            row(2, "w1w2", 0, Status::Ok, &[1.0]),
            row(2, "w1w2", 1, Status::Ok, &[]),
            row(2, "w1w2", 2, diverged(5), &[2e8]),
            row(2, "w2", 0, diverged(7), &[2e8]),
            row(2, "w2", 1, diverged(9), &[4e8]),
        ]);
        assert_eq!(tables[0].rows[0][2..4], ["2 of 3 ok; diverged at 5", "1.00 (1 of 2)"]);
        // Where none ended well the numbers say how far they went.
        assert_eq!(tables[0].rows[1][3], "3.00e8 ± 1.41e8");
    }
}
