//! The simplex step by step: its tree against a recount, its search against the rule, its optimum against all
//! assignments. Costs and prices are integers, so that every number is exact.

use super::*;

/// The nodes from `index` up to the root.
fn ancestors(simplex: &NetworkSimplex<i64>, index: u32) -> Vec<u32> {
    let up = |&at: &u32| Some(simplex.links[at as usize].parent).filter(|&parent| parent != NONE);
    std::iter::successors(Some(index), up).take(simplex.links.len() + 1).collect()
}

/// Recounts all that the simplex keeps: a tree, its sizes, the balance of every node, its strong feasibility and the
/// values along its arcs.
fn assert_consistent(simplex: &NetworkSimplex<i64>, supplies: &[i64], demands: &[i64]) {
    let root = simplex.links.len() as u32 - 1;
    let mut sizes = vec![0; root as usize + 1];
    let mut balance: Vec<i64> =
        supplies.iter().copied().chain(demands.iter().map(|demand| -demand)).chain([0]).collect();
    for index in 0..=root {
        let path = ancestors(simplex, index);
        assert_eq!(path.last(), Some(&root));
        path.iter().for_each(|&above| sizes[above as usize] += 1);
        let links = simplex.links[index as usize];
        let children: Vec<u32> = {
            let next = |&at: &u32| Some(simplex.links[at as usize].next_sibling).filter(|&next| next != NONE);
            std::iter::successors(Some(links.first_child).filter(|&child| child != NONE), next)
                .take(root as usize + 1)
                .collect()
        };
        let mut before = NONE;
        for &child in &children {
            assert_eq!(
                (simplex.links[child as usize].parent, simplex.links[child as usize].previous_sibling),
                (index, before)
            );
            before = child;
        }
        assert_eq!(
            children.len(),
            (0..root).filter(|&node| simplex.links[node as usize].parent == index).count()
        );
        if index == root {
            continue;
        }
        let basic = simplex.tree_arcs[index as usize];
        let (tail, head) = if basic.up { (index, links.parent) } else { (links.parent, index) };
        balance[tail as usize] -= basic.flow;
        balance[head as usize] += basic.flow;
        // An arc can carry more mass towards the root if it points there or has some mass to lose.
        assert!(basic.flow > 0 || (basic.flow == 0 && basic.up));
        let cost = if basic.arc == NONE {
            assert_eq!((links.parent, basic.up), (root, (index as usize) < supplies.len()));
            simplex.artificial_cost[index as usize]
        } else {
            let arc = simplex.arcs[basic.arc as usize];
            assert_eq!((arc.source, arc.target_node), (tail, head));
            arc.cost
        };
        assert_eq!(cost - simplex.values[tail as usize] + simplex.values[head as usize], 0.0);
    }
    assert_eq!(sizes, simplex.sizes);
    assert!(balance.iter().all(|&rest| rest == 0), "{balance:?}");
}

/// The arc that the rule chooses and the place where the next search starts: blocks of √arcs, at least 32, in cyclic
/// order; the first of the most negative arcs of the first block that has one below −tolerance.
fn entering_by_the_rule(simplex: &NetworkSimplex<i64>, tolerance: f64) -> Option<(u32, usize)> {
    let count = simplex.arcs.len();
    let order: Vec<usize> = (0..count).map(|step| (simplex.next_arc + step) % count).collect();
    let block = ((count as f64).sqrt() as usize).max(32);
    order.chunks(block).find_map(|block| {
        let reduced = |&&index: &&usize| simplex.reduced_cost(&simplex.arcs[index]);
        let best = block.iter().min_by(|one, other| reduced(one).total_cmp(&reduced(other)))?;
        let next = (block[block.len() - 1] + 1) % count;
        (reduced(&best) < -tolerance).then_some((*best as u32, next))
    })
}

fn all_arcs(n: usize, m: usize, cost: impl Fn(usize, usize) -> i64) -> Vec<Arc> {
    (0..n)
        .flat_map(|i| (0..m).map(move |j| (i, j)))
        .map(|(i, j)| Arc { source: i as u32, target_node: (n + j) as u32, cost: cost(i, j) as f64 })
        .collect()
}

/// The cost of the flows, which are checked against the masses.
fn total(simplex: &NetworkSimplex<i64>, n: usize, m: usize, cost: impl Fn(usize, usize) -> i64) -> i64 {
    simplex
        .flows()
        .inspect(|&(i, j, mass)| assert!(i < n && j < m && mass > 0))
        .map(|(i, j, mass)| mass * cost(i, j))
        .sum()
}

/// Ties everywhere, so that many pivots move no mass.
#[test]
fn every_pivot_keeps_a_strongly_feasible_tree() {
    for (supplies, demands) in [
        (vec![1_i64; 9], vec![1; 9]),
        (vec![2; 6], vec![3; 4]),
        (vec![5], vec![1, 1, 3]),
        (vec![7, 1, 1], vec![9]),
        (vec![4, 1, 6, 2, 2, 9, 1], vec![3, 3, 8, 1, 10]),
    ] {
        let (n, m) = (supplies.len(), demands.len());
        let cost = |i: usize, j: usize| ((i * 7 + j * 13 + i * j) % 5) as i64 - 1;
        let mut simplex = NetworkSimplex::new(&supplies, &demands);
        simplex.set_artificial_costs((0..n + m).map(|node| 20.0 + (node % 3) as f64).collect());
        assert_consistent(&simplex, &supplies, &demands);
        let whole: i64 = supplies.iter().sum();
        assert_eq!((simplex.artificial_flow(), simplex.flows().count()), (whole, 0));
        assert!(simplex.find_entering(0.0).is_none());
        simplex.add_arcs(all_arcs(n, m, cost));
        let mut pivots = 0;
        loop {
            let expected = entering_by_the_rule(&simplex, 0.0);
            let Some(entering) = simplex.find_entering(0.0) else {
                assert_eq!(expected, None);
                break;
            };
            assert_eq!(expected, Some((entering, simplex.next_arc)));
            let before = simplex.artificial_flow();
            simplex.pivot(entering);
            assert_consistent(&simplex, &supplies, &demands);
            assert!(simplex.artificial_flow() <= before);
            pivots += 1;
            assert!(pivots < 500, "{n} x {m}");
        }
        assert_eq!(simplex.artificial_flow(), 0);
        // Optimal and with mass everywhere: the duals of an integer problem prove it.
        let (f, g) = (simplex.source_potentials().to_vec(), simplex.target_potentials());
        assert_eq!((f.len(), g.len()), (n, m));
        assert!((0..n).all(|i| (0..m).all(|j| f[i] + g[j] <= cost(i, j) as f64)));
        let dual: f64 =
            supplies.iter().zip(&f).chain(demands.iter().zip(&g)).map(|(&w, v)| w as f64 * v).sum();
        assert_eq!(total(&simplex, n, m, cost) as f64, dual);
        // The first node under the root has the value 0 once values are made anew, whichever side it is of.
        simplex.recompute_values();
        assert_eq!(simplex.values[simplex.links[n + m].first_child as usize], 0.0);
        assert_consistent(&simplex, &supplies, &demands);
    }
}

#[test]
fn values_start_at_the_first_node_under_the_root() {
    for first in [0, 1] {
        let mut simplex = NetworkSimplex::<i64>::new(&[2], &[2]);
        if first == 1 {
            simplex.detach(1);
            simplex.attach(1, 2);
        }
        simplex.set_artificial_costs(vec![3.0, 5.0]);
        assert_eq!(simplex.values[first], 0.0);
        assert_consistent(&simplex, &[2], &[2]);
    }
}

#[test]
fn the_search_takes_the_first_best_arc_of_the_first_block_that_has_one() {
    for count in [1, 31, 32, 33, 100, 2000] {
        let mut simplex = NetworkSimplex::<i64>::new(&[1], &[1]);
        // Mostly nothing to gain, with ties and with arcs at the tolerance itself.
        let gain = |index: usize| if index % 37 == 5 { ((index / 37) % 4) as f64 } else { 0.0 };
        simplex.add_arcs((0..count).map(|index| Arc { source: 0, target_node: 1, cost: -gain(index) }));
        for start in [0, 1, count / 2, count - 1] {
            for tolerance in [0.0, 1.0, 2.5, 3.0] {
                simplex.next_arc = start;
                let expected = entering_by_the_rule(&simplex, tolerance);
                let found = simplex.find_entering(tolerance).map(|arc| (arc, simplex.next_arc));
                assert_eq!(found, expected, "{count} arcs from {start}, {tolerance}");
            }
        }
    }
}

/// Of a tree cut in two the part with fewer nodes moves: the values of the other stay as they are.
#[test]
fn a_shift_moves_the_smaller_part() {
    let mut simplex = NetworkSimplex::<i64>::new(&[1, 1], &[1, 1]);
    simplex.set_artificial_costs(vec![10.0; 4]);
    simplex.add_arcs(all_arcs(2, 2, |i, j| (i + j) as i64));
    let mut sizes = Vec::new();
    for entering in [0, 3, 1] {
        simplex.pivot(entering);
        for top in 0..4 {
            let (before, size) = (simplex.values.clone(), simplex.sizes[top as usize]);
            let inside: Vec<bool> = (0..5).map(|node| ancestors(&simplex, node).contains(&top)).collect();
            let links = simplex.links.clone();
            simplex.detach(top);
            simplex.shift(top, 2.0);
            simplex.links = links;
            let change: Vec<f64> =
                simplex.values.iter().zip(&before).map(|(after, before)| after - before).collect();
            let expected = |&inside: &bool| match (inside, size <= 2) {
                (true, true) => 2.0,
                (false, false) => -2.0,
                _ => 0.0,
            };
            assert_eq!(change, inside.iter().map(expected).collect::<Vec<_>>(), "{top}, {size}");
            sizes.push(size);
            simplex.values = before;
        }
    }
    assert!(
        [1, 2, 3].iter().all(|size| sizes.contains(size)) && sizes.iter().any(|&size| size > 2),
        "{sizes:?}"
    );
}

#[test]
fn the_limit_counts_pivots_of_all_calls() {
    let start = || {
        let mut simplex = NetworkSimplex::<i64>::new(&[1; 8], &[1; 8]);
        simplex.set_artificial_costs(vec![10.0; 16]);
        simplex.add_arcs(all_arcs(8, 8, |i, j| ((3 * i + 5 * j) % 8) as i64));
        simplex
    };
    let mut whole = start();
    assert!(whole.optimise(0.0, 1000).is_ok());
    let needed = whole.pivots();
    assert!(needed >= 8);
    assert!(start().optimise(0.0, needed).is_ok());
    let mut short = start();
    assert!(short.optimise(0.0, needed - 1).is_err());
    assert_eq!(short.pivots(), needed - 1);
    // It goes on from there.
    assert!(short.optimise(0.0, 1000).is_ok());
    let value = |simplex: &NetworkSimplex<i64>| total(simplex, 8, 8, |i, j| ((3 * i + 5 * j) % 8) as i64);
    assert_eq!((value(&whole), value(&short)), (0, 0));
}

/// No known problem takes so many rounds: they end whatever rounding does, since the tolerance grows past every cost.
#[test]
fn late_rounds_allow_twice_as_much_each() {
    let allowed: Vec<f64> = [0, 1, 15, 16, 17, 20].map(|round| tolerance_in_round(0.5, round)).to_vec();
    assert_eq!(allowed, [0.5, 0.5, 0.5, 1.0, 2.0, 16.0]);
    assert_eq!(tolerance_in_round(f64::MIN_POSITIVE, 3000), f64::INFINITY);
}
