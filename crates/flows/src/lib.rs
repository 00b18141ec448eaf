//! Potentials, critics and flows: networks whose input derivatives are closed forms, integrators, and the gradients of the game.
