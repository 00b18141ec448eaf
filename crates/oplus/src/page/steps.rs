//! How the end of a flow depends on the number of its steps.

use eval::report::{Block, Curves, Figure, Scale, Section, Series};
use eval::results::{Results, Row};
use std::collections::BTreeMap;

/// Numbers of steps and the metrics of the flow run with them.
const INVARIANCE: [(f64, &str); 7] = [
    (1.0, "step_invariance"),
    (2.0, "step_invariance_2"),
    (4.0, "step_invariance_4"),
    (8.0, "step_invariance_8"),
    (16.0, "step_invariance_16"),
    (32.0, "step_invariance_32"),
    (64.0, "step_invariance_64"),
];
const DISTANCE: [(f64, &str); 4] = [
    (1.0, "w2_squared_one_step"),
    (2.0, "w2_squared_2_steps"),
    (5.0, "w2_squared_5_steps"),
    (64.0, "w2_squared_64_steps"),
];

/// Curves over the number of steps, means over the seeds, for each target; nothing where none was measured.
pub fn steps(results: &Results) -> Option<Section> {
    let mut targets: BTreeMap<(&str, usize), Vec<&Row>> = BTreeMap::new();
    for row in &results.rows {
        targets.entry((&row.dataset, row.dim)).or_default().push(row);
    }
    let mut figures = Vec::new();
    for ((dataset, dim), rows) in targets {
        for (what, metrics) in [
            ("E‖x_h − x_fine‖/E‖x_fine − x_0‖", INVARIANCE.as_slice()),
            ("w2_squared to the target", DISTANCE.as_slice()),
        ] {
            let series = curves(&rows, metrics);
            if !series.is_empty() {
                figures.push(Figure::Curves(Curves {
                    caption: format!("{dataset} {dim}D: {what}"),
                    x_label: "log2 of the number of steps".into(),
                    scale: Scale::Logarithmic,
                    series,
                }));
            }
        }
    }
    (!figures.is_empty()).then(|| Section {
        heading: "Independence of the step".into(),
        blocks: vec![
            Block::Text("The exact optimum is the same for every number of steps.".into()),
            Block::Figures(figures),
        ],
        ..Section::default()
    })
}

/// One curve for each family and method, over the rows that have the metric.
fn curves(rows: &[&Row], metrics: &[(f64, &str)]) -> Vec<Series> {
    let mut methods: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        methods.entry(format!("{} ({})", row.method, row.family)).or_default().push(row);
    }
    let series = methods.into_iter().map(|(name, rows)| {
        let point = |&(steps, metric): &(f64, &str)| {
            let values: Vec<f64> = rows.iter().filter_map(|row| row.metrics.get(metric)).collect();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            // An ordinate of 0 has no place on a logarithmic scale, and the mean of nothing none at all.
            (mean > 0.0).then(|| (steps.log2(), mean))
        };
        Series { name, points: metrics.iter().filter_map(point).collect() }
    });
    series.filter(|series| !series.points.is_empty()).collect()
}
