//! The dual side of W1 and W2: Lipschitz penalties for critics and discrete c-transforms for potentials.

pub mod c_transform;
pub mod lipschitz;
pub mod semi_dual;
