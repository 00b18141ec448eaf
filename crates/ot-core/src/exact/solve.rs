//! The exact solver: a network simplex on candidate arcs inside a loop that prices all pairs.

#![allow(
    clippy::indexing_slicing,
    reason = "indices come from the support of weights whose lengths are checked at entry"
)]

use super::candidates::{WarmStart, violated_arcs, warm_start};
use super::certify::{certify_all, cost_tolerance};
use super::duplicates::{Places, spread};
use super::masses::{Masses, UnitFlow};
use super::one_dimensional::monotone_plan;
use super::simplex::{Mass, NetworkSimplex};
use super::{ExactError, Plan, Transport};
use crate::cost::{AllPairs, CloudCost, Cost, PairCost, Swapped, coarsened, restricted, sort_in_space};
use crate::dual::c_transform::row_minima;
use crate::measure::{Measure, Weights, check_weights};
use crate::potentials::{Extension, Potentials};

/// Settings of the exact solver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExactOptions {
    /// Limit on the pivots of the simplex, all levels together; reaching it is an error, never a plan.
    pub max_iterations: usize,
}

impl Default for ExactOptions {
    /// A limit that only a defect reaches: a problem of 50 000 × 50 000 points takes some millions.
    fn default() -> Self {
        Self { max_iterations: 1 << 40 }
    }
}

/// Problems with at most this many pairs are given to the simplex whole.
const ALL_PAIRS: usize = 1 << 14;

/// Each coarser problem has one point for this many.
const COARSENING: usize = 4;

/// What artificial arcs cost, in the largest cost, before other arcs than the known ones are asked for.
///
/// The known arcs may carry all mass once it is worth their price; if it is not at this one, others must. A still
/// higher price would only cost digits of the potentials behind artificial arcs. It is above the largest cost, of which
/// the scale may be a ninth.
const HIGHEST_MARGIN: f64 = 10.0;

/// Sets of at most this many points are not made coarser.
const COARSEST: usize = 64;

/// The optimal transport plan between two measures, with a verified certificate.
///
/// min_P Σ P_ij c(x_i, y_j) over couplings P ≥ 0 of the weights a and b, which are divided by their sums. Points that
/// lie on each other are solved as one. For d = 1 and a Euclidean cost the monotone coupling is used, otherwise a
/// network simplex on candidate arcs.
///
/// # Errors
/// Measures of different dimensions; costs that are not finite; a plan that fails its certificate.
///
/// Memory O((n + m)·d), and n·m single-precision products more where d ≥ 64 and they are at most 4·(n + m)·d, or d ≥ 256
/// and they are at most 2²⁷; every round of pricing costs O(n·m·d).
///
/// Peyré & Cuturi, arXiv 1803.00567, chapter 3.
///
/// ```
/// use ndarray::array;
/// use ot_core::{Measure, cost::Euclidean, exact::solve};
/// let (x, y) = (array![[0.0, 0.0], [1.0, 0.0]], array![[1.0, 1.0], [0.0, 1.0]]);
/// let plan = solve(&Measure::uniform(x.view())?, &Measure::uniform(y.view())?, &Euclidean::Squared)?;
/// assert_eq!(plan.primal(), 1.0);
/// assert_eq!((plan.coupling[0].source, plan.coupling[0].target), (0, 1));
/// # Ok::<(), ot_core::exact::ExactError>(())
/// ```
pub fn solve<'a>(
    source: &Measure<'a>,
    target: &Measure<'a>,
    cost: &'a dyn Cost,
) -> Result<Transport<'a>, ExactError> {
    solve_with(source, target, cost, ExactOptions::default())
}

/// [`solve`] with a limit on the pivots.
///
/// # Errors
/// As [`solve`], and [`ExactError::IterationLimit`].
pub fn solve_with<'a>(
    source: &Measure<'a>,
    target: &Measure<'a>,
    cost: &'a dyn Cost,
    options: ExactOptions,
) -> Result<Transport<'a>, ExactError> {
    let pairs = CloudCost::new(source, target, cost)?;
    let pairs = pairs.pairs();
    let marginals = Marginals::new(source.probabilities(), target.probabilities());
    let Plan { coupling, f, g, iterations, certificate } = match pairs.clouds() {
        Some(clouds) if clouds.dim == 1 => certified(optimum(pairs, &marginals, monotone)?, &marginals)?,
        _ => {
            let (sources, targets) = (Places::of(source.points()), Places::of(target.points()));
            let network =
                |pairs: &AllPairs<'_>, marginals: &Marginals| solve_level(pairs, marginals, options, &mut 0);
            if sources.are_distinct(source.count()) && targets.are_distinct(target.count()) {
                certified(optimum(pairs, &marginals, network)?, &marginals)?
            } else {
                let (at_sources, at_targets) =
                    (sources.points(source.points()), targets.points(target.points()));
                let places = CloudCost::of_points(at_sources.view(), at_targets.view(), cost);
                let (_, solution) =
                    optimum(places.pairs(), &marginals.at_places(&sources, &targets), network)?;
                let solution = solution.spread(&sources, &targets, &marginals);
                certified((AllPairs::once(pairs), solution), &marginals)?
            }
        }
    };
    let potentials = Potentials::new((source, f), (target, g), cost, Extension::Minimum);
    Ok(Transport { coupling, potentials, iterations, certificate })
}

/// The monotone coupling of points on a line.
fn monotone(pairs: &AllPairs<'_>, marginals: &Marginals) -> Result<Solution, ExactError> {
    let cost = pairs.cost;
    let (source, target) = cost.clouds().map(|clouds| (clouds.sources, clouds.targets)).unwrap_or_default();
    let (coupling, f, g) = monotone_plan(source, target, &marginals.masses, |i, j| cost.cost(i, j));
    Ok(Solution { coupling, f, g, iterations: 0 })
}

/// [`solve`] for any cost between two index sets: a matrix, a function of two indices, or a [`PairCost`] of your own.
///
/// ```
/// use ndarray::array;
/// use ot_core::{cost::{FunctionCost, MatrixCost}, exact::solve_pairs};
/// let matrix = array![[4.0, 1.0, 3.0], [2.0, 0.0, 5.0], [3.0, 2.0, 2.0]];
/// let plan = solve_pairs(&MatrixCost(matrix.view()), None, None)?;
/// assert!((3.0 * plan.primal() - 5.0).abs() < 1e-12);
/// let same = solve_pairs(&FunctionCost::new(3, 3, |i, j| matrix[[i, j]]), None, None)?;
/// assert_eq!(plan, same);
/// # Ok::<(), ot_core::exact::ExactError>(())
/// ```
///
/// # Errors
/// Empty sets; costs that are not finite; weights that are not measures; a plan that fails its certificate.
pub fn solve_pairs(cost: &dyn PairCost, a: Option<&[f64]>, b: Option<&[f64]>) -> Result<Plan, ExactError> {
    solve_pairs_with(cost, a, b, ExactOptions::default())
}

/// [`solve_pairs`] with a limit on the pivots.
///
/// # Errors
/// As [`solve_pairs`], and [`ExactError::IterationLimit`].
pub fn solve_pairs_with(
    cost: &dyn PairCost,
    a: Option<&[f64]>,
    b: Option<&[f64]>,
    options: ExactOptions,
) -> Result<Plan, ExactError> {
    let (sources, targets) = (cost.sources(), cost.targets());
    if sources == 0 || targets == 0 {
        return Err(ExactError::Empty { sources, targets });
    }
    check_weights("source", a, sources)?;
    check_weights("target", b, targets)?;
    let marginals = Marginals::new(Weights::new(a, sources), Weights::new(b, targets));
    let network =
        |pairs: &AllPairs<'_>, marginals: &Marginals| solve_level(pairs, marginals, options, &mut 0);
    certified(optimum(cost, &marginals, network)?, &marginals)
}

/// What a plan has to move: the weights of both sides as probabilities, and the integers that stand for them.
struct Marginals {
    a: Vec<f64>,
    b: Vec<f64>,
    masses: Masses,
}

impl Marginals {
    fn new(a: Weights, b: Weights) -> Self {
        Self { masses: Masses::new(&a.all, &b.all), a: a.all, b: b.all }
    }

    /// Those of a problem that is solved for a first guess only.
    fn rough(a: Vec<f64>, b: Vec<f64>) -> Self {
        Self { masses: Masses::rough(&a, &b), a, b }
    }

    /// Those of chosen sources and targets, which have all the mass.
    fn chosen(&self, sources: &[usize], targets: &[usize]) -> Self {
        fn chosen<T: Copy>(all: &[T], indices: &[usize]) -> Vec<T> {
            indices.iter().map(|&index| all[index]).collect()
        }
        Self {
            a: chosen(&self.a, sources),
            b: chosen(&self.b, targets),
            masses: self
                .masses
                .with(chosen(&self.masses.supplies, sources), chosen(&self.masses.demands, targets)),
        }
    }

    /// Those of the places of two clouds.
    fn at_places(&self, sources: &Places, targets: &Places) -> Self {
        Self {
            a: sources.sums(&self.a),
            b: targets.sums(&self.b),
            masses: self.masses.with(sources.sums(&self.masses.supplies), targets.sums(&self.masses.demands)),
        }
    }
}

/// A claimed solution.
struct Solution {
    coupling: Vec<UnitFlow>,
    f: Vec<f64>,
    g: Vec<f64>,
    iterations: usize,
}

impl Solution {
    /// What a solution between places means for the points of both clouds.
    fn spread(self, sources: &Places, targets: &Places, marginals: &Marginals) -> Self {
        let Masses { supplies, demands, .. } = &marginals.masses;
        Self {
            coupling: spread(&self.coupling, (sources, supplies), (targets, demands)),
            f: sources.spread(&self.f, supplies.len()),
            g: targets.spread(&self.g, demands.len()),
            iterations: self.iterations,
        }
    }
}

/// Solves between the points that carry mass and extends the potentials to the others; with all pairs, to verify it on.
fn optimum<'a>(
    cost: &'a dyn PairCost,
    marginals: &Marginals,
    solve: impl Fn(&AllPairs<'_>, &Marginals) -> Result<Solution, ExactError>,
) -> Result<(AllPairs<'a>, Solution), ExactError> {
    let support = |masses: &[i128]| (0..masses.len()).filter(|&index| masses[index] > 0).collect::<Vec<_>>();
    let (mut sources, mut targets) =
        (support(&marginals.masses.supplies), support(&marginals.masses.demands));
    if let Some(clouds) = cost.clouds() {
        sort_in_space(&clouds, &mut sources, &mut targets);
    }
    let is_whole =
        sources.iter().copied().eq(0..cost.sources()) && targets.iter().copied().eq(0..cost.targets());
    let marginals = marginals.chosen(&sources, &targets);
    let (pairs, solution) = if is_whole {
        let pairs = AllPairs::shared(cost);
        let solution = solve(&pairs, &marginals)?;
        (pairs, solution)
    } else {
        let part = restricted(cost, sources.clone(), targets.clone());
        (AllPairs::once(cost), solve(&AllPairs::shared(part.as_ref()), &marginals)?)
    };
    let Solution { mut coupling, f, g, iterations } = solution;
    for flow in &mut coupling {
        (flow.source, flow.target) = (sources[flow.source], targets[flow.target]);
    }
    coupling.sort_unstable_by_key(|flow| (flow.source, flow.target));
    let (f, g) = extended(cost, (&sources, &f), (&targets, &g));
    Ok((pairs, Solution { coupling, f, g, iterations }))
}

/// Verifies a solution on all pairs.
fn certified(
    (pairs, Solution { coupling, f, g, iterations }): (AllPairs<'_>, Solution),
    Marginals { a, b, masses }: &Marginals,
) -> Result<Plan, ExactError> {
    let coupling: Vec<_> = coupling.iter().map(|flow| masses.flow(flow)).collect();
    let certificate = certify_all(&pairs, a, b, &coupling, &f, &g)?;
    Ok(Plan { coupling, f, g, iterations, certificate })
}

/// The potentials of the chosen sources and targets at their places, with the largest feasible ones at points without
/// mass.
fn extended(
    cost: &dyn PairCost,
    (sources, f): (&[usize], &[f64]),
    (targets, g): (&[usize], &[f64]),
) -> (Vec<f64>, Vec<f64>) {
    let everything: Vec<usize> = (0..cost.targets()).collect();
    let mut all_g = if targets.len() == everything.len() {
        vec![0.0; everything.len()]
    } else {
        row_minima(&Swapped(restricted(cost, sources.to_vec(), everything).as_ref()), f)
    };
    targets.iter().zip(g).for_each(|(&index, &value)| all_g[index] = value);
    let mut all_f =
        if sources.len() == cost.sources() { vec![0.0; sources.len()] } else { row_minima(cost, &all_g) };
    sources.iter().zip(f).for_each(|(&index, &value)| all_f[index] = value);
    (all_f, all_g)
}

/// Solves one level, warm-started from a level with a quarter of the points unless a further pass costs less than that
/// level.
fn solve_level(
    pairs: &AllPairs<'_>,
    marginals: &Marginals,
    options: ExactOptions,
    pivots: &mut usize,
) -> Result<Solution, ExactError> {
    let Marginals { a, b, masses } = marginals;
    let keep_all = a.len() * b.len() <= ALL_PAIRS;
    let guess = if keep_all || pairs.are_cheap() {
        vec![0.0; a.len()]
    } else {
        coarse_guess(pairs.cost, a, b, options, pivots)?
    };
    let start = warm_start(pairs, &guess, keep_all)?;
    match masses.narrow() {
        Some((supplies, demands)) => price_out(pairs, (&supplies, &demands), start, options, pivots),
        None => price_out(pairs, (&masses.supplies, &masses.demands), start, options, pivots),
    }
}

/// The simplex on the arcs of a warm start, and on those that pricing finds, until it finds none.
fn price_out<M: Mass>(
    pairs: &AllPairs<'_>,
    (supplies, demands): (&[M], &[M]),
    start: WarmStart,
    options: ExactOptions,
    pivots: &mut usize,
) -> Result<Solution, ExactError> {
    let mut simplex = NetworkSimplex::new(supplies, demands);
    simplex.add_arcs(start.arcs);
    // A quarter of what the certificate allows.
    let tolerance = 0.25 * cost_tolerance(supplies.len() + demands.len(), start.scale);
    // Artificial arcs cost a little more than the guessed potentials: mass prefers nearly tight arcs at once, and
    // leaves the artificial ones altogether when their price has grown past every real cost.
    let mut margin = if start.scale > 0.0 { (0.25 * start.slack).max(1e-9 * start.scale) } else { 1.0 };
    loop {
        simplex.set_artificial_costs(start.f.iter().chain(&start.g).map(|value| value + margin).collect());
        let limit = options.max_iterations.saturating_sub(*pivots);
        simplex
            .optimise(tolerance, limit)
            .map_err(|_| ExactError::IterationLimit { limit: options.max_iterations })?;
        let has_artificial_flow = simplex.artificial_flow() > M::default();
        let (f, g) = (simplex.source_potentials().to_vec(), simplex.target_potentials());
        let is_cheap = has_artificial_flow && margin < HIGHEST_MARGIN * start.scale;
        let violated = if is_cheap { Vec::new() } else { violated_arcs(pairs, &f, &g, tolerance) };
        if violated.is_empty() {
            if has_artificial_flow {
                margin *= 4.0;
                continue;
            }
            let coupling = simplex
                .flows()
                .map(|(source, target, mass)| UnitFlow { source, target, units: mass.into() })
                .collect();
            *pivots += simplex.pivots();
            return Ok(Solution { coupling, f, g, iterations: *pivots });
        }
        simplex.add_arcs(violated);
    }
}

/// A first guess of f: the c-transform of the g of a coarser problem.
fn coarse_guess(
    cost: &dyn PairCost,
    a: &[f64],
    b: &[f64],
    options: ExactOptions,
    pivots: &mut usize,
) -> Result<Vec<f64>, ExactError> {
    let coarse_size = |count: usize| (count / COARSENING).max(count.min(COARSEST));
    let (sources, targets) = (coarse_size(a.len()), coarse_size(b.len()));
    if (sources, targets) == (a.len(), b.len()) {
        return Ok(vec![0.0; a.len()]);
    }
    let coarse = coarsened(cost, (a, sources), (b, targets));
    let marginals = Marginals::rough(coarse.a, coarse.b);
    let solution = solve_level(&AllPairs::shared(coarse.cost.as_ref()), &marginals, options, pivots)?;
    Ok(row_minima(coarse.from_all_sources.as_ref(), &solution.g))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::{Euclidean, FunctionCost};
    use ndarray::Array2;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A fixed sequence in [0, 1): multiples of the golden ratio.
    fn number(index: usize) -> f64 {
        ((index * index + 3 * index + 1) as f64 * 0.618_033_988_749_894_9).fract()
    }

    #[test]
    fn a_first_guess_is_the_transform_of_a_problem_a_quarter_as_large() {
        let cloud = |count, seed| Array2::from_shape_fn((count, 2), |(i, axis)| number(2 * i + axis + seed));
        for (n, m, coarse_n, coarse_m) in [(300, 402, 75, 100), (100, 257, 64, 64), (65, 40, 64, 40)] {
            let (x, y) = (cloud(n, 0), cloud(m, 1000));
            let clouds = CloudCost::of_points(x.view(), y.view(), &Euclidean::Squared);
            let (a, b) = (vec![1.0 / n as f64; n], vec![1.0 / m as f64; m]);
            let (mut pivots, options) = (0, ExactOptions::default());
            let guess = coarse_guess(clouds.pairs(), &a, &b, options, &mut pivots).unwrap();
            let coarse = coarsened(clouds.pairs(), (&a, coarse_n), (&b, coarse_m));
            assert_eq!((coarse.a.len(), coarse.b.len()), (coarse_n, coarse_m));
            let mut expected = 0;
            let pairs = AllPairs::shared(coarse.cost.as_ref());
            let marginals = Marginals::rough(coarse.a, coarse.b);
            let solution = solve_level(&pairs, &marginals, options, &mut expected).unwrap();
            assert_eq!(guess, row_minima(coarse.from_all_sources.as_ref(), &solution.g));
            assert_eq!(pivots, expected);
        }
        // Nothing is gained from a smaller problem of this size.
        let (x, y) = (cloud(64, 0), cloud(50, 1000));
        let clouds = CloudCost::of_points(x.view(), y.view(), &Euclidean::Squared);
        let mut pivots = 0;
        let (a, b) = ([1.0 / 64.0; 64], [1.0 / 50.0; 50]);
        let guess = coarse_guess(clouds.pairs(), &a, &b, ExactOptions::default(), &mut pivots).unwrap();
        assert_eq!((guess, pivots), (vec![0.0; 64], 0));
    }

    /// Seven looks at each pair (scale, two transforms, arcs, pricing, scale and feasibility of the certificate) and
    /// one at those that carry mass; one point more, and there is a coarser problem to look at.
    #[test]
    fn small_problems_are_given_to_the_simplex_whole() {
        for (n, m, is_whole) in [(128, 128, true), (1, 1, true), (70, 3, true), (129, 128, false)] {
            let calls = AtomicUsize::new(0);
            let cost = FunctionCost::new(n, m, |i, j| {
                calls.fetch_add(1, Ordering::Relaxed);
                number(131 * i + 17 * j)
            });
            let plan = solve_pairs(&cost, None, None).unwrap();
            assert_eq!(calls.into_inner() == 7 * n * m + plan.coupling.len(), is_whole, "{n} x {m}");
        }
    }

    #[test]
    fn points_without_mass_have_the_largest_feasible_potentials() {
        let cost = FunctionCost::new(6, 5, |i, j| 10.0 * number(7 * i + j) - 3.0);
        let whole = ([0.5, 0.0, 0.25, 0.0, 0.0, 0.25], [0.0, 0.25, 0.0, 0.5, 0.25]);
        for (a, b) in [(whole.0, whole.1), (whole.0, [0.2; 5]), ([1.0 / 6.0; 6], whole.1)] {
            let plan = solve_pairs(&cost, Some(&a), Some(&b)).unwrap();
            let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
            // The same differences of the same numbers.
            for j in (0..5).filter(|&j| b[j] == 0.0) {
                let with_mass = (0..6).filter(|&i| a[i] > 0.0);
                assert_eq!(plan.g[j], least(&mut with_mass.map(|i| cost.cost(i, j) - plan.f[i])));
            }
            for i in (0..6).filter(|&i| a[i] == 0.0) {
                assert_eq!(plan.f[i], least(&mut (0..5).map(|j| cost.cost(i, j) - plan.g[j])));
            }
        }
    }

    /// Reduced costs of the size of the tolerance decide: the certificate holds only if the simplex is stricter than
    /// it, with the root of n + m nodes.
    #[test]
    fn costs_that_differ_by_roundings_are_solved_to_a_quarter_of_the_tolerance() {
        let (n, m) = (100, 100);
        let cost = FunctionCost::new(n, m, |i, j| 1.0 + 1500.0 * f64::EPSILON * number(101 * i + j));
        let plan = solve_pairs(&cost, None, None).unwrap();
        let (slack, all) = (plan.certificate.infeasibility, plan.certificate.tolerance);
        assert!(slack <= 0.26 * all, "{slack:e} {all:e}");
    }

    /// The pivots of a solution are those of its own level, begun from the same guess, and those of the coarser ones.
    #[test]
    fn pivots_are_those_of_all_levels() {
        let cloud = |seed| Array2::from_shape_fn((300, 2), |(i, axis)| number(2 * i + axis + seed));
        let (x, y) = (cloud(0), cloud(1000));
        let clouds = CloudCost::of_points(x.view(), y.view(), &Euclidean::Squared);
        let (pairs, options) = (AllPairs::shared(clouds.pairs()), ExactOptions::default());
        let marginals = Marginals::new(Weights::new(None, 300), Weights::new(None, 300));
        let (mut coarse, mut own, mut all) = (0, 0, 0);
        let guess = coarse_guess(pairs.cost, &marginals.a, &marginals.b, options, &mut coarse).unwrap();
        let start = warm_start(&pairs, &guess, false).unwrap();
        let (supplies, demands) = marginals.masses.narrow().unwrap();
        let last = price_out(&pairs, (&supplies, &demands), start, options, &mut own).unwrap();
        let whole = solve_level(&pairs, &marginals, options, &mut all).unwrap();
        assert!(coarse > 0 && own > 0);
        assert_eq!((last.iterations, whole.iterations, all), (own, coarse + own, coarse + own));
    }

    #[test]
    fn an_empty_side_is_named() {
        for (sources, targets) in [(0, 3), (3, 0), (0, 0)] {
            let found = solve_pairs(&FunctionCost::new(sources, targets, |_, _| 1.0), None, None);
            assert_eq!(found, Err(ExactError::Empty { sources, targets }));
        }
    }
}
