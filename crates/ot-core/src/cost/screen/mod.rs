//! Lower bounds of the costs between point clouds in single precision, with a proof of their rounding.
//!
//! With both clouds centred, x = x' + x̄ and y = y' + ȳ, δ = x̄ − ȳ, the squared distance is
//!
//! ‖x − y‖² = (‖x'‖² + 2x'·δ + ‖δ‖²) + (‖y'‖² − 2y'·δ) − 2x'·y',
//!
//! so that c(x, y) − g(y) < w, with c the squared distance, reads β(y) − 2x'·y' < τ(x): a matrix product and a
//! comparison. With c the distance it reads ‖x−y‖² < (w + g(y))², which is the same with (x', w) and (y', g) in place
//! of x' and y'. A sum of k products in any order is off by at most k·u/(1 − k·u)·Σ|products| (Higham, Accuracy and
//! Stability of Numerical Algorithms, 2002, section 3.1); this and the rounding of the inputs are added to τ.
//!
//! With few coordinates most pairs are dismissed by where they lie, and the others tile by tile as their products are
//! made ([`near::NearScreen`]). With many, no pair is near any other, and the products are a matrix product that
//! several passes can share ([`deep::ProductScreen`]).

mod deep;
mod frame;
mod near;
mod products;
mod tile;

pub(super) use deep::ProductScreen;
pub(super) use near::NearScreen;
pub(super) use products::{Products, ROWS};

/// Dimensions from which on the products between all points are made as one matrix product.
pub(super) const DEEP: usize = 64;

/// Sources per parallel task. Fixed, so that the work of a source never depends on the number of threads.
pub(super) const TASK: usize = 8 * tile::ROWS;
