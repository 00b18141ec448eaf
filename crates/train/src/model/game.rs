//! A trained game: both players, and the coordinates between which they play.

use flows::affine::Affine;
use flows::game::{Game, Networks};
use flows::hopf_lax::Based;
use flows::scalar_field::ScalarField;

/// A game with the averaged networks of its players, and the companions of their searches.
#[derive(Debug, Clone)]
pub(crate) struct GameModel<N> {
    pub(crate) game: Game<N>,
    /// The coordinates between which it is played.
    pub(crate) affine: Affine,
    pub(crate) flow: Vec<f32>,
    pub(crate) critic: Vec<f32>,
    /// y′, [m, k] row-major.
    pub(crate) companions: Vec<f32>,
    /// Earlier critics that searches follow, one after the other.
    pub(crate) earlier: Vec<f32>,
}

impl<N> GameModel<N> {
    /// The parameters of both players.
    pub(super) fn networks(&self) -> Networks<'_, f32> {
        Networks { flow: &self.flow, critic: &self.critic }
    }

    /// Whether points are in the coordinates of the game, and searches follow no earlier critics.
    pub(crate) fn is_plain(&self) -> bool {
        self.affine.is_identity() && self.earlier.is_empty()
    }

    /// `game`, its own or one with the same numbers, between its coordinates.
    pub(super) fn based<'a, M: ScalarField>(&'a self, game: &'a Game<M>) -> Based<'a, M> {
        let Self { affine, companions, earlier, .. } = self;
        Based { game, affine, networks: self.networks(), companions, earlier }
    }
}
