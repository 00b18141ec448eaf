//! The curves of a run from its records.

use eval::report::{Curves, Figure, Scale, Series};
use measure::{Abscissa, QUALITY, Records};
use metrics::{
    ACCURACY_2007, ACCURACY_ALL, CHARACTERISTIC_RMS, CRITIC_DIVERGENCE, CRITIC_DUAL, CRITIC_SLOPE_MAX,
    CRITIC_SLOPE_MEAN, FLOW_OBJECTIVE, GENERATOR_OBJECTIVE_FIRST, GENERATOR_OBJECTIVE_LAST,
    HJ_RESIDUAL_RELATIVE, KINETIC_ENERGY, Metric, PATH_RATIO, SLOPE_RMS, TERMINAL_GRADIENT_RELATIVE,
    VELOCITY_SPREAD, W1, W2, W2_EVEN,
};

/// A figure with its metrics over iterations.
struct Plan {
    caption: &'static str,
    scale: Scale,
    metrics: &'static [&'static Metric],
}

const PLANS: &[Plan] = &[
    Plan {
        caption: "Objectives: the critic's dual value and what the flow minimises",
        scale: Scale::Linear,
        metrics: &[CRITIC_DIVERGENCE, FLOW_OBJECTIVE, CRITIC_DUAL],
    },
    Plan {
        caption: "l2_uvp of the map where the optimal one is known, else w2_squared to the data, where it was looked at",
        scale: Scale::Logarithmic,
        metrics: &QUALITY,
    },
    Plan {
        caption: "Exact distances to a fixed batch",
        scale: Scale::Logarithmic,
        metrics: &[W1, W2, W2_EVEN],
    },
    Plan {
        caption: "Accuracy of the nearest neighbour on the target's test digits",
        scale: Scale::Linear,
        metrics: &[ACCURACY_ALL, ACCURACY_2007],
    },
    Plan {
        caption: "RMS slope ‖∇φ‖ at the generated points",
        scale: Scale::Logarithmic,
        metrics: &[SLOPE_RMS],
    },
    Plan {
        caption: "Misfit mean‖G(z) − ζ‖² before the first and the last of the K updates",
        scale: Scale::Logarithmic,
        metrics: &[GENERATOR_OBJECTIVE_FIRST, GENERATOR_OBJECTIVE_LAST],
    },
    Plan {
        caption: "Slope ‖∇φ‖ of the critic",
        scale: Scale::Linear,
        metrics: &[CRITIC_SLOPE_MEAN, CRITIC_SLOPE_MAX],
    },
    Plan {
        caption: "Relative indicators, 0 at the exact optimum",
        scale: Scale::Logarithmic,
        metrics: &[HJ_RESIDUAL_RELATIVE, TERMINAL_GRADIENT_RELATIVE, CHARACTERISTIC_RMS, PATH_RATIO],
    },
    Plan {
        caption: "Kinetic energy and spread of the velocity",
        scale: Scale::Logarithmic,
        metrics: &[KINETIC_ENERGY, VELOCITY_SPREAD],
    },
];

/// Below this a relative indicator is 0 up to rounding, and the search for the ends of paths.
pub(super) const ROUNDING: f64 = 1e-5;

/// The curves of losses and indicators of the metrics that are `shown`, and a sentence about those that are 0 up to
/// rounding; a figure without a curve is left out.
pub(super) fn curves(records: &Records, shown: impl Fn(&Metric) -> bool) -> (Vec<Figure>, Option<String>) {
    let mut zeros = Vec::new();
    let mut figure = |plan: &Plan| {
        let mut series = Vec::new();
        for metric in plan.metrics.iter().filter(|metric| shown(metric)) {
            let mut points = records.over(Abscissa::Iterations, metric);
            points.retain(|(_, y)| plan.scale == Scale::Linear || *y > 0.0);
            let largest = points.iter().map(|(_, y)| y.abs()).fold(0.0, f64::max);
            if plan.scale == Scale::Logarithmic && largest < ROUNDING && !points.is_empty() {
                zeros.push(format!("`{metric}`"));
            } else if points.len() > 1 {
                series.push(Series { name: metric.name.into(), points });
            }
        }
        let (caption, scale) = (plan.caption.into(), plan.scale);
        let curves = Curves { caption, x_label: "iteration".into(), scale, x_scale: Scale::Linear, series };
        (!curves.series.is_empty()).then_some(Figure::Curves(curves))
    };
    let figures = PLANS.iter().filter_map(&mut figure).collect();
    let sentence =
        (!zeros.is_empty()).then(|| format!("0 up to rounding, and not drawn: {}.", zeros.join(", ")));
    (figures, sentence)
}

/// Each metric of the records of several runs over iterations, a curve for each run; and the distance to the data over the
/// seconds of training.
pub(super) fn side_by_side(runs: &[(&str, &Records)], prefix: &str) -> Vec<Figure> {
    let mut figures = Vec::new();
    let mut add = |metric: &Metric, scale, abscissa, x_label: &str| {
        let mut series = Vec::new();
        for (name, records) in runs {
            let mut points = records.over(abscissa, metric);
            points.retain(|(_, y)| scale == Scale::Linear || *y > ROUNDING);
            if points.len() > 1 {
                series.push(Series { name: (*name).into(), points });
            }
        }
        if !series.is_empty() {
            let caption = format!("{prefix}`{metric}`: {}", metric.definition);
            let x_label = x_label.into();
            figures.push(Figure::Curves(Curves { caption, x_label, scale, x_scale: Scale::Linear, series }));
        }
    };
    for metric in QUALITY {
        add(metric, Scale::Logarithmic, Abscissa::Seconds, "seconds of training");
    }
    for plan in PLANS {
        plan.metrics.iter().for_each(|metric| add(metric, plan.scale, Abscissa::Iterations, "iteration"));
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::curves;
    use eval::report::Figure;
    use measure::Records;

    #[test]
    fn values_that_are_null_or_have_no_logarithm_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let text = "{\"step\":1,\"path_ratio\":0.5,\"critic_divergence\":null}\n{\"step\":2,\"path_ratio\":0.0}\n\
             {\"step\":3,\"path_ratio\":0.25}\n";
        std::fs::write(folder.path().join("metrics.jsonl"), text).unwrap();
        let (figures, _) = curves(&Records::read(folder.path()).unwrap(), |_| true);
        let [Figure::Curves(curves)] = figures.as_slice() else { panic!("{figures:?}") };
        assert_eq!(curves.series.len(), 1);
        assert_eq!(curves.series[0].points, [(1.0, 0.5), (3.0, 0.25)]);
        let records = Records::read(folder.path()).unwrap();
        assert!(super::curves(&records, |metric| metric != metrics::PATH_RATIO).0.is_empty());
    }

    #[test]
    fn what_is_zero_by_rounding_and_what_was_recorded_once_takes_no_figure() {
        let folder = tempfile::tempdir().unwrap();
        let text = "{\"step\":1,\"path_ratio\":1e-30,\"w2_squared\":5}\n{\"step\":2,\"path_ratio\":2e-7}\n";
        std::fs::write(folder.path().join("metrics.jsonl"), text).unwrap();
        let (figures, sentence) = curves(&Records::read(folder.path()).unwrap(), |_| true);
        assert!(figures.is_empty(), "{figures:?}");
        assert_eq!(sentence.unwrap(), "0 up to rounding, and not drawn: `path_ratio`.");
    }
}
