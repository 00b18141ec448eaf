//! How the end of a flow depends on the number of its steps.

use eval::report::{Block, Curves, Figure, Scale, Section, Series};
use eval::results::{Results, Row, over_seeds};
use metrics::{Metric, STEP_INVARIANCE_BY_STEPS, W2_SQUARED_BY_STEPS};
use std::collections::BTreeMap;

/// Curves over the number of steps, means over the seeds that ended well, for each target; nothing where none was measured.
pub(super) fn steps(results: &Results) -> Option<Section> {
    let mut targets: BTreeMap<(&str, usize), Vec<&Row>> = BTreeMap::new();
    for row in &results.rows {
        targets.entry((&row.dataset, row.dim)).or_default().push(row);
    }
    let mut figures = Vec::new();
    for ((dataset, dim), rows) in targets {
        for (what, metrics) in [
            ("E‖x_h − x_fine‖/E‖x_fine − x_0‖", STEP_INVARIANCE_BY_STEPS.as_slice()),
            ("w2_squared to the target", W2_SQUARED_BY_STEPS.as_slice()),
        ] {
            let series = curves(&rows, metrics);
            if !series.is_empty() {
                figures.push(Figure::Curves(Curves {
                    caption: format!("{dataset} {dim}D: {what}"),
                    x_label: "Euler steps".into(),
                    scale: Scale::Logarithmic,
                    x_scale: Scale::Logarithmic,
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
fn curves(rows: &[&Row], metrics: &[(usize, &Metric)]) -> Vec<Series> {
    let mut methods: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        methods.entry(format!("{} ({})", row.method, row.family)).or_default().push(row);
    }
    let series = methods.into_iter().map(|(name, rows)| {
        let point = |(steps, metric): &(usize, &Metric)| {
            let mean = over_seeds(&rows, metric)?.mean;
            // An ordinate of 0 has no place on a logarithmic scale.
            (mean > 0.0).then_some((*steps as f64, mean))
        };
        Series { name, points: metrics.iter().filter_map(point).collect() }
    });
    series.filter(|series| series.points.len() > 1).collect()
}
