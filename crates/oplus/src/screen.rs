//! The terminal that answers go to.

use console::Term;

/// Its number of columns; none where answers go elsewhere.
pub(crate) fn width() -> Option<usize> {
    let terminal = Term::stdout();
    terminal.is_term().then(|| usize::from(terminal.size().1))
}
