//! The rules of the code base as code: what ARCHITECTURE.md promises is checked over the tree.

mod code;
mod configs;
mod documents;
mod guide;
mod manifests;
mod text;
mod tree;

use anyhow::Result;
use std::fmt;
use std::path::Path;
use tree::Tree;

/// A broken rule and its place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// Relative to the workspace root, with `/`.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    pub message: String,
}

impl Problem {
    fn new(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// Everything in the tree below `root` that breaks a rule, in the order of files and lines.
pub(crate) fn problems(root: &Path) -> Result<Vec<Problem>> {
    Ok(problems_of(&Tree::read(root)?))
}

fn problems_of(tree: &Tree) -> Vec<Problem> {
    let rules = [code::check, manifests::check, documents::check, guide::check, configs::check, text::check];
    let mut problems: Vec<Problem> = rules.iter().flat_map(|rule| rule(tree)).collect();
    problems.sort();
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    #[test]
    fn the_tree_is_tidy() {
        let problems = problems(Workspace::find().unwrap().root()).unwrap();
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "\n{}", lines.join("\n"));
    }
}
