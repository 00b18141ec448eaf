//! The curves of a run from its metrics.jsonl.

use anyhow::{Context, Result};
use eval::report::{Curves, Figure, Scale, Series};
use serde_json::{Map, Value};
use std::fs;
use std::path::Path;
use train::run::METRICS_FILE;

/// The records of a run.
pub struct Records(Vec<Map<String, Value>>);

impl Records {
    /// Reads the records of a run folder; a torn last line is left out.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(METRICS_FILE);
        let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        Ok(Self(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()))
    }

    /// The curves of losses and indicators; a figure without any value is left out.
    pub fn figures(&self) -> Vec<Figure> {
        let figures = [
            self.curves(
                "Objectives: the critic's dual value and what the flow minimises",
                Scale::Linear,
                &["critic_divergence", "flow_objective"],
            ),
            self.curves(
                "Slope ‖∇φ‖ of the critic",
                Scale::Linear,
                &["critic_slope_mean", "critic_slope_max"],
            ),
            self.curves(
                "Relative indicators, 0 at the exact optimum",
                Scale::Logarithmic,
                &["hj_residual_relative", "terminal_gradient_relative", "characteristic_rms", "path_ratio"],
            ),
            self.curves(
                "Kinetic energy and spread of the velocity",
                Scale::Logarithmic,
                &["kinetic_energy", "velocity_spread"],
            ),
        ];
        figures.into_iter().flatten().collect()
    }

    fn curves(&self, caption: &str, scale: Scale, names: &[&str]) -> Option<Figure> {
        let series: Vec<Series> = names
            .iter()
            .map(|name| Series { name: (*name).into(), points: self.points(name, scale) })
            .filter(|series| !series.points.is_empty())
            .collect();
        let curves = Curves { caption: caption.into(), x_label: "iteration".into(), scale, series };
        (!curves.series.is_empty()).then_some(Figure::Curves(curves))
    }

    fn points(&self, name: &str, scale: Scale) -> Vec<(f64, f64)> {
        let point =
            |record: &Map<String, Value>| Some((record.get("step")?.as_f64()?, record.get(name)?.as_f64()?));
        self.0.iter().filter_map(point).filter(|(_, y)| scale == Scale::Linear || *y > 0.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Records;
    use eval::report::Figure;

    #[test]
    fn values_that_are_null_or_missing_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let text = "{\"step\":1,\"path_ratio\":0.5,\"critic_divergence\":null}\n{\"step\":2,\"path_ratio\":0.0}\n{\"st";
        std::fs::write(folder.path().join("metrics.jsonl"), text).unwrap();
        let figures = Records::read(folder.path()).unwrap().figures();
        let [Figure::Curves(curves)] = figures.as_slice() else { panic!("{figures:?}") };
        assert_eq!(curves.series.len(), 1);
        assert_eq!(curves.series[0].points, [(1.0, 0.5)]);
    }
}
