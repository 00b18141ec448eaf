//! The primal network simplex for transport on a growing list of arcs.
//!
//! Masses are integers, so flows are exact and the strongly feasible basis (every tree arc can carry some more mass towards the root)
//! rules out cycling. Every node also hangs on an artificial arc to a root; its price is raised by the caller until no mass uses it.

#![allow(
    clippy::indexing_slicing,
    reason = "kernel; node and arc numbers are below the sizes fixed at construction"
)]

/// A candidate arc from a source node to a target node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arc {
    pub source: u32,
    /// Target index plus the number of sources: a node number.
    pub target_node: u32,
    pub cost: f64,
}

const NONE: u32 = u32::MAX;

/// A node of the spanning tree with the arc to its parent.
#[derive(Debug, Clone, Copy)]
struct Node {
    parent: u32,
    first_child: u32,
    next_sibling: u32,
    previous_sibling: u32,
    depth: u32,
    /// Number of the arc to the parent, or `NONE` for the artificial arc.
    arc: u32,
    /// Mass on the arc to the parent.
    flow: i64,
    /// Whether that arc points at the parent.
    up: bool,
}

/// A spanning-tree solution that stays primal feasible while arcs are added and artificial prices change.
pub(super) struct NetworkSimplex {
    sources: usize,
    nodes: Vec<Node>,
    /// f on sources, −g on targets: the reduced cost of an arc is cost − value\[source\] + value\[target\].
    values: Vec<f64>,
    artificial_cost: Vec<f64>,
    arcs: Vec<Arc>,
    next_arc: usize,
    pivots: usize,
}

/// The pivot limit was reached.
pub(super) struct PivotLimit;

impl NetworkSimplex {
    /// Starts from the basis of artificial arcs. `supplies` and `demands` are positive and have equal sums.
    pub fn new(supplies: &[i64], demands: &[i64]) -> Self {
        let sources = supplies.len();
        let count = sources + demands.len();
        let root = count as u32;
        let mut nodes: Vec<Node> = supplies
            .iter()
            .map(|&flow| (flow, true))
            .chain(demands.iter().map(|&flow| (flow, false)))
            .enumerate()
            .map(|(index, (flow, up))| Node {
                parent: root,
                first_child: NONE,
                next_sibling: if index + 1 < count { index as u32 + 1 } else { NONE },
                previous_sibling: if index > 0 { index as u32 - 1 } else { NONE },
                depth: 1,
                arc: NONE,
                flow,
                up,
            })
            .collect();
        nodes.push(Node {
            parent: NONE,
            first_child: 0,
            next_sibling: NONE,
            previous_sibling: NONE,
            depth: 0,
            arc: NONE,
            flow: 0,
            up: true,
        });
        Self {
            sources,
            nodes,
            values: vec![0.0; count + 1],
            artificial_cost: vec![0.0; count],
            arcs: Vec::new(),
            next_arc: 0,
            pivots: 0,
        }
    }

    pub fn pivots(&self) -> usize {
        self.pivots
    }

    /// Adds arcs; they enter the search at once.
    pub fn add_arcs(&mut self, arcs: impl IntoIterator<Item = Arc>) {
        self.arcs.extend(arcs);
    }

    /// Sets the price of the artificial arcs of all nodes, sources first.
    pub fn set_artificial_costs(&mut self, costs: Vec<f64>) {
        self.artificial_cost = costs;
        self.recompute_values();
    }

    /// The mass that still uses artificial arcs, counted at the sources.
    pub fn artificial_flow(&self) -> i64 {
        self.nodes[..self.sources].iter().filter(|node| node.arc == NONE).map(|node| node.flow).sum()
    }

    /// The potential f of each source.
    pub fn source_potentials(&self) -> &[f64] {
        &self.values[..self.sources]
    }

    /// The potential g of each target.
    pub fn target_potentials(&self) -> Vec<f64> {
        self.values[self.sources..self.nodes.len() - 1].iter().map(|value| -value).collect()
    }

    /// The arcs that carry mass, as (source, target, mass).
    pub fn flows(&self) -> impl Iterator<Item = (usize, usize, i64)> + '_ {
        self.nodes.iter().filter(|node| node.arc != NONE && node.flow > 0).map(|node| {
            let arc = self.arcs[node.arc as usize];
            (arc.source as usize, arc.target_node as usize - self.sources, node.flow)
        })
    }

    /// Pivots until no arc has a reduced cost below −`tolerance`.
    pub fn optimise(&mut self, tolerance: f64, max_pivots: usize) -> Result<(), PivotLimit> {
        loop {
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
                return Ok(());
            }
        }
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
        // The mass moves from `first` to `second` and back over the tree; on the way it frees arcs that point against it. Taking the last
        // such arc along the cycle, seen from the join, keeps the basis strongly feasible.
        let mut delta = i64::MAX;
        let mut leaving = (NONE, true);
        let mut at = first;
        while at != join {
            let node = &self.nodes[at as usize];
            if node.up && node.flow < delta {
                (delta, leaving) = (node.flow, (at, true));
            }
            at = node.parent;
        }
        at = second;
        while at != join {
            let node = &self.nodes[at as usize];
            if !node.up && node.flow <= delta {
                (delta, leaving) = (node.flow, (at, false));
            }
            at = node.parent;
        }
        if delta > 0 {
            self.push(first, join, -delta);
            self.push(second, join, delta);
        }
        let (last, on_first_side) = leaving;
        let (rehung, new_parent) = if on_first_side { (first, second) } else { (second, first) };
        let reduced = self.reduced_cost(&arc);
        self.rehang(rehung, last, new_parent, entering, delta, on_first_side);
        let shift = if on_first_side { reduced } else { -reduced };
        self.shift_subtree(rehung, shift);
    }

    fn join(&self, first: u32, second: u32) -> u32 {
        let (mut a, mut b) = (first, second);
        while a != b {
            if self.nodes[a as usize].depth >= self.nodes[b as usize].depth {
                a = self.nodes[a as usize].parent;
            } else {
                b = self.nodes[b as usize].parent;
            }
        }
        a
    }

    /// Adds `amount` to the upward arcs between `from` and `join` and takes it from the downward ones.
    fn push(&mut self, from: u32, join: u32, amount: i64) {
        let mut at = from;
        while at != join {
            let node = &mut self.nodes[at as usize];
            node.flow += if node.up { amount } else { -amount };
            at = node.parent;
        }
    }

    /// Makes `start` the child of `new_parent` over the entering arc, reversing the tree path from `start` up to `last`, whose parent arc
    /// leaves.
    fn rehang(&mut self, start: u32, last: u32, new_parent: u32, entering: u32, flow: i64, up: bool) {
        let (mut at, mut parent, mut arc, mut flow, mut up) = (start, new_parent, entering, flow, up);
        loop {
            self.detach(at);
            let node = &mut self.nodes[at as usize];
            let old = *node;
            (node.parent, node.arc, node.flow, node.up) = (parent, arc, flow, up);
            self.attach(at);
            if at == last {
                return;
            }
            (parent, arc, flow, up) = (at, old.arc, old.flow, !old.up);
            at = old.parent;
        }
    }

    fn detach(&mut self, index: u32) {
        let node = self.nodes[index as usize];
        if node.previous_sibling == NONE {
            self.nodes[node.parent as usize].first_child = node.next_sibling;
        } else {
            self.nodes[node.previous_sibling as usize].next_sibling = node.next_sibling;
        }
        if node.next_sibling != NONE {
            self.nodes[node.next_sibling as usize].previous_sibling = node.previous_sibling;
        }
    }

    fn attach(&mut self, index: u32) {
        let parent = self.nodes[index as usize].parent as usize;
        let sibling = self.nodes[parent].first_child;
        self.nodes[parent].first_child = index;
        if sibling != NONE {
            self.nodes[sibling as usize].previous_sibling = index;
        }
        let node = &mut self.nodes[index as usize];
        node.previous_sibling = NONE;
        node.next_sibling = sibling;
    }

    /// The node after `index` in a depth-first walk of the subtree under `top`.
    #[inline]
    fn next_in_subtree(&self, index: u32, top: u32) -> Option<u32> {
        let child = self.nodes[index as usize].first_child;
        if child != NONE {
            return Some(child);
        }
        let mut at = index;
        while at != top {
            let node = &self.nodes[at as usize];
            if node.next_sibling != NONE {
                return Some(node.next_sibling);
            }
            at = node.parent;
        }
        None
    }

    fn shift_subtree(&mut self, top: u32, shift: f64) {
        let mut next = Some(top);
        while let Some(index) = next {
            let parent = self.nodes[index as usize].parent as usize;
            self.nodes[index as usize].depth = self.nodes[parent].depth + 1;
            self.values[index as usize] += shift;
            next = self.next_in_subtree(index, top);
        }
    }

    /// Recomputes all potentials from the costs of the tree arcs.
    fn recompute_values(&mut self) {
        let root = self.nodes.len() as u32 - 1;
        let mut next = self.next_in_subtree(root, root);
        while let Some(index) = next {
            let node = self.nodes[index as usize];
            let cost = if node.arc == NONE {
                self.artificial_cost[index as usize]
            } else {
                self.arcs[node.arc as usize].cost
            };
            let parent = self.values[node.parent as usize];
            self.values[index as usize] = if node.up { parent + cost } else { parent - cost };
            next = self.next_in_subtree(index, root);
        }
    }
}
