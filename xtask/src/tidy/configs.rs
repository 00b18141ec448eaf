//! Every configuration is TOML.

use super::Problem;
use super::tree::Tree;

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    tree.ending(".toml")
        .filter_map(|(path, text)| {
            let error = toml::from_str::<toml::Table>(text).err()?;
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            Some(Problem::new(
                path,
                before.matches('\n').count() + 1,
                format!("not TOML: {}", error.message()),
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_file_is_named_with_its_line() {
        assert_eq!(check(&Tree::of(&[("configs/a.toml", "seed = 1\n[flow]\n")])), []);
        let problems = check(&Tree::of(&[("configs/a.toml", "seed = 1\nname = \n")]));
        assert!(problems.len() == 1 && problems[0].line == 2, "{problems:?}");
    }
}
