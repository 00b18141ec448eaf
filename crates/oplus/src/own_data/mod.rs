//! A first look at the user's own points, and a configuration that fits them.

mod proposal;
mod survey;

pub(crate) use proposal::Proposal;
pub(crate) use survey::Survey;
