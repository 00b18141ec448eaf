//! The primal network simplex for transport on a growing list of arcs.
//!
//! Masses are integers, so flows are exact and the strongly feasible basis (every tree arc can carry some more mass
//! towards the root) rules out cycling. Every node also hangs on an artificial arc to a root; its price is raised by
//! the caller until no mass uses it.

#![allow(
    clippy::indexing_slicing,
    reason = "kernel; node and arc numbers are below the sizes fixed at construction"
)]

use std::iter::Sum;
use std::ops::{AddAssign, SubAssign};

/// A candidate arc from a source node to a target node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arc {
    pub source: u32,
    /// Target index plus the number of sources: a node number.
    pub target_node: u32,
    pub cost: f64,
}

const NONE: u32 = u32::MAX;

/// Recomputations of the potentials after which a round no longer keeps to the tolerance; one or two are usual.
const EXACT_ROUNDS: u32 = 16;

/// An integer that holds every sum of masses.
pub(super) trait Mass: Copy + Ord + Default + AddAssign + SubAssign + Sum + Into<i128> {
    /// More than any mass.
    const MAX: Self;
}

impl Mass for i64 {
    const MAX: Self = Self::MAX;
}

impl Mass for i128 {
    const MAX: Self = Self::MAX;
}

/// The tolerance that a round keeps to: twice as much for each one from [`EXACT_ROUNDS`] on.
fn tolerance_in_round(tolerance: f64, round: u32) -> f64 {
    tolerance * 2f64.powi((round + 1).saturating_sub(EXACT_ROUNDS) as i32)
}

/// The place of a node in the spanning tree.
#[derive(Debug, Clone, Copy)]
struct Links {
    parent: u32,
    first_child: u32,
    next_sibling: u32,
    previous_sibling: u32,
}

/// The arc from a node to its parent.
#[derive(Debug, Clone, Copy)]
struct TreeArc<M> {
    /// Mass on the arc.
    flow: M,
    /// Its number, or `NONE` for the artificial arc.
    arc: u32,
    /// Whether it points at the parent.
    up: bool,
}

/// A spanning-tree solution that stays primal feasible while arcs are added and artificial prices change.
pub(super) struct NetworkSimplex<M> {
    sources: usize,
    links: Vec<Links>,
    tree_arcs: Vec<TreeArc<M>>,
    /// The number of nodes in the subtree of each node.
    sizes: Vec<u32>,
    /// f on sources, −g on targets, up to a common constant: the reduced cost of an arc is cost − value\[source\] +
    /// value\[target\].
    values: Vec<f64>,
    artificial_cost: Vec<f64>,
    arcs: Vec<Arc>,
    next_arc: usize,
    pivots: usize,
}

/// The pivot limit was reached.
pub(super) struct PivotLimit;

impl<M: Mass> NetworkSimplex<M> {
    /// Starts from the basis of artificial arcs. `supplies` and `demands` are positive and have equal sums.
    pub(super) fn new(supplies: &[M], demands: &[M]) -> Self {
        let sources = supplies.len();
        let count = sources + demands.len();
        let root = count as u32;
        let tree_arcs = supplies
            .iter()
            .map(|&flow| TreeArc { flow, arc: NONE, up: true })
            .chain(demands.iter().map(|&flow| TreeArc { flow, arc: NONE, up: false }))
            .chain([TreeArc { flow: M::default(), arc: NONE, up: true }])
            .collect();
        let mut links: Vec<Links> = (0..root)
            .map(|index| Links {
                parent: root,
                first_child: NONE,
                next_sibling: if index + 1 < root { index + 1 } else { NONE },
                previous_sibling: index.checked_sub(1).unwrap_or(NONE),
            })
            .collect();
        links.push(Links { parent: NONE, first_child: 0, next_sibling: NONE, previous_sibling: NONE });
        let mut sizes = vec![1; count];
        sizes.push(root + 1);
        Self {
            sources,
            links,
            tree_arcs,
            sizes,
            values: vec![0.0; count + 1],
            artificial_cost: vec![0.0; count],
            arcs: Vec::new(),
            next_arc: 0,
            pivots: 0,
        }
    }

    pub(super) fn pivots(&self) -> usize {
        self.pivots
    }

    /// Adds arcs; they enter the search at once.
    pub(super) fn add_arcs(&mut self, arcs: impl IntoIterator<Item = Arc>) {
        self.arcs.extend(arcs);
    }

    /// Sets the price of the artificial arcs of all nodes, sources first.
    pub(super) fn set_artificial_costs(&mut self, costs: Vec<f64>) {
        self.artificial_cost = costs;
        self.recompute_values();
    }

    /// The mass that still uses artificial arcs, counted at the sources.
    pub(super) fn artificial_flow(&self) -> M {
        self.tree_arcs[..self.sources].iter().filter(|basic| basic.arc == NONE).map(|basic| basic.flow).sum()
    }

    /// The potential f of each source.
    pub(super) fn source_potentials(&self) -> &[f64] {
        &self.values[..self.sources]
    }

    /// The potential g of each target.
    pub(super) fn target_potentials(&self) -> Vec<f64> {
        self.values[self.sources..self.links.len() - 1].iter().map(|value| -value).collect()
    }

    /// The arcs that carry mass, as (source, target, mass).
    pub(super) fn flows(&self) -> impl Iterator<Item = (usize, usize, M)> + '_ {
        self.tree_arcs.iter().filter(|basic| basic.arc != NONE && basic.flow > M::default()).map(|basic| {
            let arc = self.arcs[basic.arc as usize];
            (arc.source as usize, arc.target_node as usize - self.sources, basic.flow)
        })
    }

    /// Pivots until no arc has a reduced cost below −`tolerance`.
    ///
    /// Where potentials of far parts of the tree round to more than that, recomputing them finds ever new arcs to pivot
    /// on: after some rounds each further one allows twice as much, and the certificate decides.
    pub(super) fn optimise(&mut self, tolerance: f64, max_pivots: usize) -> Result<(), PivotLimit> {
        for round in 0.. {
            let tolerance = tolerance_in_round(tolerance, round);
            while let Some(entering) = self.find_entering(tolerance) {
                if self.pivots >= max_pivots {
                    return Err(PivotLimit);
                }
                self.pivots += 1;
                self.pivot(entering);
            }
            // Increments of potentials round; only recomputed ones may declare optimality.
            self.recompute_values();
            if self.find_entering(tolerance).is_none() {
                break;
            }
        }
        Ok(())
    }

    #[inline]
    fn reduced_cost(&self, arc: &Arc) -> f64 {
        arc.cost - self.values[arc.source as usize] + self.values[arc.target_node as usize]
    }

    /// Block search: the most negative arc of the first block, in cyclic order, that has one.
    fn find_entering(&mut self, tolerance: f64) -> Option<u32> {
        let count = self.arcs.len();
        if count == 0 {
            return None;
        }
        let block = ((count as f64).sqrt() as usize).max(32);
        let mut remaining = count;
        let mut at = self.next_arc;
        while remaining > 0 {
            let mut best = (-tolerance, NONE);
            let mut size = block.min(remaining);
            remaining -= size;
            while size > 0 {
                let end = (at + size).min(count);
                for (offset, arc) in self.arcs[at..end].iter().enumerate() {
                    let reduced = self.reduced_cost(arc);
                    if reduced < best.0 {
                        best = (reduced, (at + offset) as u32);
                    }
                }
                size -= end - at;
                at = if end == count { 0 } else { end };
            }
            if best.1 != NONE {
                self.next_arc = at;
                return Some(best.1);
            }
        }
        None
    }

    fn pivot(&mut self, entering: u32) {
        let arc = self.arcs[entering as usize];
        let (first, second) = (arc.source, arc.target_node);
        let join = self.join(first, second);
        // The mass moves from `first` to `second` and back over the tree; on the way it frees arcs that point against
        // it. Taking the last such arc along the cycle, seen from the join, keeps the basis strongly feasible.
        let mut delta = M::MAX;
        let mut leaving = (NONE, true);
        let mut at = first;
        while at != join {
            let basic = &self.tree_arcs[at as usize];
            if basic.up && basic.flow < delta {
                (delta, leaving) = (basic.flow, (at, true));
            }
            at = self.links[at as usize].parent;
        }
        at = second;
        while at != join {
            let basic = &self.tree_arcs[at as usize];
            if !basic.up && basic.flow <= delta {
                (delta, leaving) = (basic.flow, (at, false));
            }
            at = self.links[at as usize].parent;
        }
        if delta > M::default() {
            self.push(first, join, delta, false);
            self.push(second, join, delta, true);
        }
        let (last, on_first_side) = leaving;
        let (rehung, new_parent) = if on_first_side { (first, second) } else { (second, first) };
        let reduced = self.reduced_cost(&arc);
        let size = self.sizes[last as usize];
        self.resize(self.links[last as usize].parent, join, size.wrapping_neg());
        self.resize(new_parent, join, size);
        self.detach(last);
        self.shift(last, if on_first_side { reduced } else { -reduced });
        self.rehang(rehung, last, new_parent, TreeArc { flow: delta, arc: entering, up: on_first_side });
    }

    /// The nearest common ancestor: of two different nodes the one with the smaller subtree cannot contain the other.
    fn join(&self, first: u32, second: u32) -> u32 {
        let (mut a, mut b) = (first, second);
        while a != b {
            if self.sizes[a as usize] < self.sizes[b as usize] {
                a = self.links[a as usize].parent;
            } else {
                b = self.links[b as usize].parent;
            }
        }
        a
    }

    /// Moves `amount` along the arcs between `from` and `join`: up, or down.
    fn push(&mut self, from: u32, join: u32, amount: M, up: bool) {
        let mut at = from;
        while at != join {
            let basic = &mut self.tree_arcs[at as usize];
            if basic.up == up {
                basic.flow += amount;
            } else {
                basic.flow -= amount;
            }
            at = self.links[at as usize].parent;
        }
    }

    /// Adds `change`, modulo 2^32, to the sizes of the subtrees of `from` and its ancestors below `join`.
    fn resize(&mut self, from: u32, join: u32, change: u32) {
        let mut at = from;
        while at != join {
            self.sizes[at as usize] = self.sizes[at as usize].wrapping_add(change);
            at = self.links[at as usize].parent;
        }
    }

    /// Makes `start` the child of `new_parent` over the entering arc, reversing the tree path from `start` up to
    /// `last`, which has lost its parent.
    fn rehang(&mut self, start: u32, last: u32, new_parent: u32, entering: TreeArc<M>) {
        let whole = self.sizes[last as usize];
        let (mut at, mut parent, mut basic, mut below) = (start, new_parent, entering, 0);
        loop {
            let old_parent = self.links[at as usize].parent;
            if at != last {
                self.detach(at);
            }
            self.attach(at, parent);
            let old = std::mem::replace(&mut self.tree_arcs[at as usize], basic);
            below = std::mem::replace(&mut self.sizes[at as usize], whole - below);
            if at == last {
                return;
            }
            (parent, basic) = (at, TreeArc { up: !old.up, ..old });
            at = old_parent;
        }
    }

    fn detach(&mut self, index: u32) {
        let node = self.links[index as usize];
        if node.previous_sibling == NONE {
            self.links[node.parent as usize].first_child = node.next_sibling;
        } else {
            self.links[node.previous_sibling as usize].next_sibling = node.next_sibling;
        }
        if node.next_sibling != NONE {
            self.links[node.next_sibling as usize].previous_sibling = node.previous_sibling;
        }
    }

    fn attach(&mut self, index: u32, parent: u32) {
        let sibling = std::mem::replace(&mut self.links[parent as usize].first_child, index);
        if sibling != NONE {
            self.links[sibling as usize].previous_sibling = index;
        }
        let node = &mut self.links[index as usize];
        (node.parent, node.next_sibling, node.previous_sibling) = (parent, sibling, NONE);
    }

    /// The node after `index` in a depth-first walk of the subtree under `top`.
    #[inline]
    fn next_in_subtree(&self, index: u32, top: u32) -> Option<u32> {
        let child = self.links[index as usize].first_child;
        if child != NONE {
            return Some(child);
        }
        let mut at = index;
        while at != top {
            let node = &self.links[at as usize];
            if node.next_sibling != NONE {
                return Some(node.next_sibling);
            }
            at = node.parent;
        }
        None
    }

    /// Raises the values under `top`, which has lost its parent, by `amount` relative to all others.
    fn shift(&mut self, top: u32, amount: f64) {
        let root = self.links.len() as u32 - 1;
        // Only differences matter: the smaller part moves.
        let is_small = self.sizes[top as usize] <= self.sizes[root as usize] / 2;
        let (top, amount) = if is_small { (top, amount) } else { (root, -amount) };
        let mut next = Some(top);
        while let Some(index) = next {
            self.values[index as usize] += amount;
            next = self.next_in_subtree(index, top);
        }
    }

    /// Recomputes all potentials from the costs of the tree arcs, with 0 at the first node under the root: what the
    /// artificial arcs cost does not enter the potentials of its component, so it takes no digits from them.
    fn recompute_values(&mut self) {
        let root = self.links.len() as u32 - 1;
        let first = self.links[root as usize].first_child as usize;
        let to_first = self.artificial_cost[first];
        self.values[root as usize] = if self.tree_arcs[first].up { -to_first } else { to_first };
        let mut next = self.next_in_subtree(root, root);
        while let Some(index) = next {
            let basic = self.tree_arcs[index as usize];
            let cost = if basic.arc == NONE {
                self.artificial_cost[index as usize]
            } else {
                self.arcs[basic.arc as usize].cost
            };
            let parent = self.values[self.links[index as usize].parent as usize];
            self.values[index as usize] = if basic.up { parent + cost } else { parent - cost };
            next = self.next_in_subtree(index, root);
        }
    }
}

#[cfg(test)]
mod tests;
