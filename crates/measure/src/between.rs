//! A snapshot that a training has not seen, between the one that it moves and the one that it moves it to.

use crate::{MeasureError, Tell};
use datasets::{cells, stream};
use eval::{ClosenessError, Metrics};
use metrics::{HELD_OUT_W1, HELD_OUT_W2};
use ndarray::{Array2, ArrayView2, Axis};
use ot_core::cost::Euclidean;
use ot_core::{Measure, exact};
use rand::seq::SliceRandom;
use train::config::{Config, Points};
use train::source::Inputs;

/// Splits of the snapshot into two halves.
const SPLITS: u64 = 20;
const HALVES: &str = "halves";

/// Three snapshots in a row, [n, d] each.
#[derive(Debug, Clone)]
pub(crate) struct Between {
    pub(crate) earlier: Array2<f64>,
    held_out: Array2<f64>,
    later: Array2<f64>,
}

impl Between {
    /// The snapshots of a flow from one day to the day after the next; none of other flows.
    pub(crate) fn of(
        (initial, data): (&Points, &Points),
        inputs: &Inputs,
    ) -> Result<Option<Self>, MeasureError> {
        let (Some((first, components)), Some((last, others))) = (initial.cells(), data.cells()) else {
            return Ok(None);
        };
        if last != first + 2 || components != others {
            return Ok(None);
        }
        let day = |day| cells(&inputs.data_sets, day, components);
        Ok(Some(Self { earlier: day(first)?, held_out: day(first + 1)?, later: day(last)? }))
    }

    /// W1 and W2 from `points`, [m, d], with `weights`, \[m\], or equal ones, to the snapshot held out.
    pub(crate) fn scores(
        &self,
        points: ArrayView2<'_, f64>,
        weights: Option<&[f64]>,
    ) -> Result<Metrics, ClosenessError> {
        let (x, y) = (Measure::new(points, weights)?, Measure::uniform(self.held_out.view())?);
        let w1 = exact::solve(&x, &y, &Euclidean::Distance)?.primal();
        let w2 = exact::solve(&x, &y, &Euclidean::Squared)?.primal().max(0.0).sqrt();
        Ok([(HELD_OUT_W1, w1), (HELD_OUT_W2, w2)].into_iter().collect())
    }

    /// The middle of the exact plan between the snapshots around: Σ Pᵢⱼ·δ at (xᵢ + yⱼ)/2 (McCann's interpolation).
    fn middle_of_the_plan(&self) -> Result<Metrics, ClosenessError> {
        let (x, y) = (Measure::uniform(self.earlier.view())?, Measure::uniform(self.later.view())?);
        let plan = exact::solve(&x, &y, &Euclidean::Squared)?.coupling;
        let rows = |points: &Array2<f64>, of: fn(&exact::Flow) -> usize| {
            points.select(Axis(0), &plan.iter().map(of).collect::<Vec<_>>())
        };
        let middle = (rows(&self.earlier, |flow| flow.source) + rows(&self.later, |flow| flow.target)) / 2.0;
        let masses: Vec<f64> = plan.iter().map(|flow| flow.mass).collect();
        self.scores(middle.view(), Some(&masses))
    }

    /// One half of the snapshot held out against the other, which have half of its points: more than the floor of all.
    fn halves(&self) -> Result<Metrics, ClosenessError> {
        let (mut w1, mut w2) = (Vec::new(), Vec::new());
        for split in 0..SPLITS {
            let mut rows: Vec<usize> = (0..self.held_out.nrows()).collect();
            rows.shuffle(&mut stream(0, HALVES, split));
            let (one, other) = rows.split_at(rows.len() / 2);
            let half = |rows: &[usize]| self.held_out.select(Axis(0), rows);
            let (one, other) = (half(one), half(other));
            w1.push(eval::w1(one.view(), other.view())?);
            w2.push(eval::w2(one.view(), other.view())?);
        }
        let mut metrics = Metrics::default();
        metrics.insert_repeated(HELD_OUT_W1, &w1);
        metrics.insert_repeated(HELD_OUT_W2, &w2);
        Ok(metrics)
    }
}

/// What every flow between two snapshots has to beat at the one between them, by name: the snapshots themselves, and the
/// middle of the exact plan; and the two halves of the snapshot held out. None of other flows.
///
/// # Errors
/// What reading the files reports.
pub fn snapshots_around(
    config: &Config,
    inputs: &Inputs,
    tell: Tell<'_>,
) -> Result<Vec<(&'static str, Metrics)>, MeasureError> {
    let Some(snapshots) = Between::of((config.initial(), config.data()), inputs)? else {
        return Ok(Vec::new());
    };
    tell("the snapshots around the one held out");
    Ok(vec![
        ("earlier-day", snapshots.scores(snapshots.earlier.view(), None)?),
        ("later-day", snapshots.scores(snapshots.later.view(), None)?),
        ("linear", snapshots.middle_of_the_plan()?),
        (HALVES, snapshots.halves()?),
    ])
}

#[cfg(test)]
mod tests {
    use super::Between;
    use metrics::{HELD_OUT_W1, HELD_OUT_W2};
    use ndarray::{Array2, array};

    /// A cloud that shifts by (2, 0) and then by (4, 0) more: the middle of the plan lies at a shift of 3, 1 beyond.
    #[test]
    fn the_middle_of_a_shift_lies_half_way() {
        let start: Array2<f64> = array![[0.0, 0.0], [1.0, 3.0], [-2.0, 1.0]];
        let shifted = |by: f64| &start + &array![by, 0.0];
        let snapshots = Between { earlier: start.clone(), held_out: shifted(2.0), later: shifted(6.0) };
        for (metrics, expected) in [
            (snapshots.middle_of_the_plan().unwrap(), 1.0),
            (snapshots.scores(start.view(), None).unwrap(), 2.0),
        ] {
            for metric in [HELD_OUT_W1, HELD_OUT_W2] {
                let found = metrics.get(metric).unwrap();
                // The shift is optimal for both costs; sums of three numbers.
                assert!((found - expected).abs() < 1e-12, "{metric}: {found}");
            }
        }
    }

    /// A plan that splits mass: one point goes to two, its middles have a half each.
    #[test]
    fn the_middle_of_a_split_has_its_masses() {
        let snapshots = Between {
            earlier: array![[0.0]],
            held_out: array![[-1.0], [1.0], [1.0], [1.0]],
            later: array![[-2.0], [2.0]],
        };
        // A quarter has to go from −1 … by hand: masses (½, ½) at (−1, 1) against (¼, ¾): ¼ moves by 2.
        assert_eq!(snapshots.middle_of_the_plan().unwrap().get(HELD_OUT_W1), Some(0.5));
    }
}
