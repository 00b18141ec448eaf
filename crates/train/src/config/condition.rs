//! What the points of a flow are conditioned on.

use datasets::Columns;
use serde::{Deserialize, Serialize};

/// What stands beside the coordinates of a data point: a class, or numbers.
///
/// A labelled target or data set (arms, modes and halves; digits and images) has its labels by itself. Of a file or an array
/// the condition are columns of the same table; the coordinates are the others, or those that `data.columns` names.
///
/// ```
/// use train::config::Condition;
/// #[derive(serde::Deserialize)]
/// struct Section {
///     condition: Condition,
/// }
/// let section: Section = toml::from_str("condition = { kind = \"vector\", columns = [2, 3] }")?;
/// assert_eq!(section.condition.columns().unwrap().to_string(), "2,3");
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Condition {
    /// A class, which networks see as a row of zeros and a one.
    Label {
        /// The column of a file or an array that has it, as a number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        columns: Option<Columns>,
    },
    /// Numbers, which networks see centred and scaled, each by itself.
    Vector {
        /// The columns of a file or an array that have them.
        columns: Columns,
    },
}

impl Condition {
    /// The columns of the user's own table that are the condition.
    pub fn columns(&self) -> Option<&Columns> {
        match self {
            Self::Label { columns } => columns.as_ref(),
            Self::Vector { columns } => Some(columns),
        }
    }
}
