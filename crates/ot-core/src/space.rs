//! Points sorted so that neighbours in space are neighbours in memory, and the gaps between their boxes.

/// Sorts `indices` by halving runs of them across their widest axis until at most `smallest` are left of each.
///
/// `coordinate(index, axis)` is one of `dim`; a run of so many is cut at `middle(count)`. Points that are level keep
/// the order of their indices. O(n·(d + log n)·log n).
pub(crate) fn halve(
    indices: &mut [usize],
    dim: usize,
    coordinate: impl Fn(usize, usize) -> f64,
    smallest: usize,
    middle: impl Fn(usize) -> usize,
) {
    let mut runs = vec![indices];
    while let Some(run) = runs.pop() {
        if run.len() <= smallest {
            continue;
        }
        let extent = |axis: usize| {
            let (low, high) = run
                .iter()
                .map(|&index| coordinate(index, axis))
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
            high - low
        };
        let (axis, _) = (0..dim)
            .map(|axis| (axis, extent(axis)))
            .fold((0, f64::NEG_INFINITY), |best, next| if next.1 > best.1 { next } else { best });
        let position = |index: &usize| coordinate(*index, axis);
        let cut = middle(run.len());
        run.select_nth_unstable_by(cut, |a, b| position(a).total_cmp(&position(b)).then(a.cmp(b)));
        let (left, right) = run.split_at_mut(cut);
        runs.extend([right, left]);
    }
}

/// The squared distance between two boxes, each given by its lowest and highest coordinates: at most that between their
/// points.
pub(crate) fn squared_gap((low, high): (&[f64], &[f64]), (from, to): (&[f64], &[f64])) -> f64 {
    let sides = low.iter().zip(high).zip(from.iter().zip(to));
    sides.map(|((low, high), (from, to))| (from - high).max(low - to).max(0.0)).map(|gap| gap * gap).sum()
}
