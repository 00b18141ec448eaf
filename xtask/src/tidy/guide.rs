//! Rules over the guide in `docs`: it holds each of its pages, leads nowhere else, and no block in it is left untested.

use super::Problem;
use super::tree::Tree;

const FOLDER: &str = "docs/";
const SUMMARY: &str = "docs/SUMMARY.md";
/// The crate whose documentation tests are the blocks of Rust.
const HOME_OF_RUST: &str = "crates/measure/src/lib.rs";
/// What blocks are written in: `rust` is tested by that crate, `sh` and `toml` by oplus, `python` by the Python package.
const LANGUAGES: &[&str] = &["rust", "sh", "toml", "python", "text"];
/// The folders whose paths are named as sources.
const SOURCES: &[&str] = &["results/", "configs/", "crates/", "examples/", "tests/", "benches/"];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    let summary = tree.get(SUMMARY).unwrap_or_default();
    for (path, text) in tree.ending(".md").filter(|(path, _)| path.starts_with(FOLDER)) {
        let name = path.trim_start_matches(FOLDER);
        if path != SUMMARY && !summary.contains(&format!("]({name})")) {
            problems.push(Problem::new(path, 1, format!("the page is not in {SUMMARY}")));
        }
        page(tree, path, text, &mut problems);
    }
    problems
}

fn page(tree: &Tree, path: &str, text: &str, problems: &mut Vec<Problem>) {
    let mut in_code = false;
    for (number, line) in text.lines().enumerate() {
        let mut report = |message: String| problems.push(Problem::new(path, number + 1, message));
        if let Some(language) = line.trim_start().strip_prefix("```") {
            in_code = !in_code;
            if in_code && !LANGUAGES.contains(&language) {
                report(format!("no test runs blocks of `{language}`: write {}", LANGUAGES.join(", ")));
            }
            if in_code
                && language == "rust"
                && !tree.get(HOME_OF_RUST).is_some_and(|home| home.contains(path))
            {
                report(format!("no test runs the Rust of this page: {HOME_OF_RUST} has to include it"));
            }
            continue;
        }
        if in_code {
            continue;
        }
        if line.contains("](../") {
            report("the link leaves the guide, which is built alone: name the path instead".into());
        }
        for word in line.split('`').skip(1).step_by(2) {
            if SOURCES.iter().any(|folder| word.starts_with(folder)) && !tree.holds(word) {
                report(format!("there is no `{word}`"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(page: &str) -> Vec<String> {
        let summary = "[A](a.md)\n";
        let home = "include_str!(\"../../../docs/a.md\")";
        let files =
            [(SUMMARY, summary), (HOME_OF_RUST, home), ("docs/a.md", page), ("results/x/table.md", "")];
        check(&Tree::of(&files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn blocks_sources_and_links_of_a_page_are_checked() {
        for (page, fine) in [
            ("```rust\n```\n```sh\n```\n", true),
            ("```c\n```\n", false),
            ("```\n```\n", false),
            ("see `results/x` and `results/x/table.md`, `a.md`", true),
            ("see `results/y`", false),
            ("[b](b.md) [c](https://example.org)", true),
            ("[b](../b.md)", false),
        ] {
            let found = messages(page);
            assert_eq!(found.is_empty(), fine, "{page}: {found:?}");
            assert!(found.iter().all(|message| message.starts_with("docs/a.md:1: ")), "{found:?}");
        }
    }

    #[test]
    fn every_page_is_in_the_summary_and_its_rust_is_tested() {
        let lost = check(&Tree::of(&[(SUMMARY, ""), ("docs/a.md", "```rust\n```\n")]));
        assert_eq!(lost.len(), 2, "{lost:?}");
    }
}
