//! How far a map is from the optimal one, where that is known for every point.

use crate::stream_name::KNOWN_MAP;
use crate::{MeasureError, Tell};
use datasets::{KnownPair, stream};
use eval::Metrics;
use eval::results::Protocol;
use metrics::{COSINE, COST_ERROR, INVERSE_L2_UVP, L2_UVP};
use ndarray::{Array2, ArrayView2, Axis};
use ot_core::gaussian::Gaussian;
use train::config::{Config, Points};
use train::source::Inputs;

/// Pairs (x, T*(x)) that maps are compared on.
const PAIRS: usize = 1 << 16;
/// Pairs where numbers only show that everything works.
const FEW_PAIRS: usize = 1 << 11;
/// Points a side of a protocol whose numbers are reported.
const REPORTED: usize = 1000;

/// How many known pairs are compared: `all`, or few where the numbers of the protocol only show that everything works.
pub(crate) fn known_pairs(protocol: Protocol, all: usize) -> usize {
    if protocol.exact_points >= REPORTED { all } else { FEW_PAIRS }
}

/// Points x of P with their images y = T*(x), which no training has seen.
#[derive(Debug, Clone)]
pub(crate) struct Truth {
    pair: KnownPair,
    pub(crate) x: Array2<f64>,
    pub(crate) y: Array2<f64>,
}

impl Truth {
    /// The truth of what moves `initial` to `data` with this seed; none where these are not the two sides of a known map.
    pub(crate) fn of(
        (initial, data): (&Points, &Points),
        seed: u64,
        inputs: &Inputs,
        protocol: Protocol,
    ) -> Result<Option<Self>, MeasureError> {
        let (Some(known), other) = (data.known_map(), initial.known_map()) else { return Ok(None) };
        if other != Some(known) {
            return Ok(None);
        }
        let (map, dim) = known;
        let pair = map.pair(dim, &inputs.data_sets)?;
        let x = pair.source(known_pairs(protocol, PAIRS), &mut stream(seed, KNOWN_MAP, 0));
        let y = pair.map(x.view());
        Ok(Some(Self { pair, x, y }))
    }

    /// The scores of the images `moved` of x, [n, d], and of what leads `back` from y, [n, d].
    pub(crate) fn scores(&self, moved: &Array2<f64>, back: Option<&Array2<f64>>) -> Metrics {
        let (ours, exact) = (moved - &self.x, &self.y - &self.x);
        let (length, truth) = (square(&ours), square(&exact));
        let mut metrics = Metrics::default();
        metrics.insert(L2_UVP, 100.0 * square(&(moved - &self.y)) / variance(&self.y));
        metrics.insert(COSINE, (&ours * &exact).sum() / (length * truth).sqrt());
        metrics.insert(COST_ERROR, (length / truth - 1.0).abs());
        if let Some(back) = back {
            metrics.insert(INVERSE_L2_UVP, 100.0 * square(&(back - &self.x)) / variance(&self.x));
        }
        metrics
    }

    /// The optimal map between the Gaussians with the moments of as many points of either side, and its inverse.
    fn linear(&self, seed: u64) -> Result<(Array2<f64>, Array2<f64>), MeasureError> {
        let mut rng = stream(seed, KNOWN_MAP, 1);
        let gaussian = |points: Array2<f64>| Gaussian::from_samples(points.view());
        let source = gaussian(self.pair.source(self.x.nrows(), &mut rng))?;
        let target = gaussian(self.pair.image(self.x.nrows(), &mut rng))?;
        let apply = |from: &Gaussian, to: &Gaussian, points: ArrayView2<'_, f64>| {
            from.transport_map(to)?.apply(points)
        };
        Ok((apply(&source, &target, self.x.view())?, apply(&target, &source, self.y.view())?))
    }
}

/// Sum of squares.
fn square(points: &Array2<f64>) -> f64 {
    points.iter().map(|x| x * x).sum()
}

/// The same about the mean of the rows.
fn variance(points: &Array2<f64>) -> f64 {
    points.mean_axis(Axis(0)).map_or(0.0, |mean| square(&(points - &mean)))
}

/// What every solver of a known map has to beat, by name: the map that moves nothing, and the optimal map between the
/// Gaussians with the moments of samples of both laws. None where the optimal map is not known.
///
/// # Errors
/// What reading the files of the map reports.
pub fn simple_maps(
    config: &Config,
    inputs: &Inputs,
    protocol: Protocol,
    tell: Tell<'_>,
) -> Result<Vec<(&'static str, Metrics)>, MeasureError> {
    let sides = (config.initial(), config.data());
    tell("the known map");
    let Some(truth) = Truth::of(sides, config.seed(), inputs, protocol)? else { return Ok(Vec::new()) };
    let (ahead, back) = truth.linear(config.seed())?;
    Ok(vec![
        ("identity", truth.scores(&truth.x, Some(&truth.y))),
        ("linear", truth.scores(&ahead, Some(&back))),
    ])
}

/// The scores of a map, asked for x and where it has one for the way back from y; none where the optimal map is not known.
pub(crate) fn scores(
    sides: (&Points, &Points),
    (seed, protocol): (u64, Protocol),
    inputs: &Inputs,
    tell: Tell<'_>,
    map: impl Fn(ArrayView2<'_, f64>) -> Result<Array2<f64>, MeasureError>,
    inverse: impl Fn(ArrayView2<'_, f64>) -> Result<Option<Array2<f64>>, MeasureError>,
) -> Result<Metrics, MeasureError> {
    if sides.1.known_map().is_none() {
        return Ok(Metrics::default());
    }
    tell("the distance to the known map");
    let Some(truth) = Truth::of(sides, seed, inputs, protocol)? else { return Ok(Metrics::default()) };
    let (moved, back) = (map(truth.x.view())?, inverse(truth.y.view())?);
    Ok(truth.scores(&moved, back.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::{PAIRS, Truth, scores, simple_maps};
    use datasets::KnownMap;
    use eval::Metrics;
    use eval::results::Protocol;
    use metrics::{COSINE, COST_ERROR, INVERSE_L2_UVP, L2_UVP};
    use train::config::{Config, Points};
    use train::source::Inputs;

    fn config(map: &str, dim: usize) -> Config {
        let text = include_str!("../../../configs/table1/tuned/pinwheel-7d-w1w2.toml");
        let points = format!("{{ kind = \"known-map\", map = \"{map}\", dim = {dim} }}");
        let settings = [format!("data={points}"), format!("initial={points}")];
        Config::parse(text, "test", None, &settings).unwrap()
    }

    fn values(metrics: &Metrics) -> [Option<f64>; 4] {
        [L2_UVP, COSINE, COST_ERROR, INVERSE_L2_UVP].map(|metric| metrics.get(metric))
    }

    /// T*(x) = x + s with s = (3, 4): Var Q = Var P = v.
    #[test]
    fn scores_are_those_of_the_formulas() {
        let pair = KnownMap::Gaussian.pair(2, "nowhere".as_ref()).unwrap();
        let x = ndarray::array![[1.0, 0.0], [-1.0, 0.0], [0.0, 2.0], [0.0, -2.0]];
        let shift = ndarray::array![3.0, 4.0];
        let truth = Truth { pair, y: &x + &shift, x };
        let half = truth.scores(&(&truth.x + &(&shift * 0.5)), Some(&truth.y));
        // Var = (1 + 1 + 4 + 4)/4: half the way misses by 25/4, the identity back by 25.
        let [uvp, cosine, cost, inverse] = values(&half).map(Option::unwrap);
        assert!((uvp - 100.0 * 6.25 / 2.5).abs() < 1e-9 && (inverse - 1000.0).abs() < 1e-9);
        assert!((cosine - 1.0).abs() < 1e-12 && (cost - 0.75).abs() < 1e-12);
    }

    /// The map between Gaussians is linear; its moments are those of 65 536 points a side, so that entries of the
    /// covariances miss by 1/√65536 = .4 % of a variance.
    #[test]
    fn the_linear_map_solves_gaussians_and_nothing_else() {
        let found =
            |map: &str| simple_maps(&config(map, 5), &Inputs::default(), Protocol::FULL, &|_| {}).unwrap();
        let gaussian = found("gaussian");
        assert_eq!(gaussian.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["identity", "linear"]);
        let (identity, linear) = (values(&gaussian[0].1), values(&gaussian[1].1));
        assert!(linear[0].unwrap() < 0.05 && linear[3].unwrap() < 0.05, "{linear:?}");
        assert!(
            identity[0].unwrap() > 5.0 && identity[1].is_none() && identity[2] == Some(1.0),
            "{identity:?}"
        );
        assert!(values(&found("log-sum-exp")[1].1)[0].unwrap() > 1.0);
    }

    #[test]
    fn other_problems_have_no_known_map() {
        let normal = Points::default();
        let known = config("gaussian", 3).data().clone();
        let asked = |initial: &Points, data: &Points| {
            let (sides, inputs) = ((initial, data), Inputs::default());
            scores(sides, (0, Protocol::SMOKE), &inputs, &|_| {}, |_| panic!("not asked for"), |_| Ok(None))
        };
        for (initial, data) in [(&normal, &known), (&known, &normal)] {
            assert_eq!(asked(initial, data).unwrap(), Metrics::default());
        }
        assert_eq!(PAIRS, 65_536);
    }
}
