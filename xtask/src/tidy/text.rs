//! Rules over all text: what must not stand in any file.

use super::Problem;
use super::tree::Tree;

/// Written in two parts, so that this file does not break its own rules.
const BANS: &[(&[&str], &str)] = &[
    (
        &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")],
        "nothing is left half done: do it, or open an issue",
    ),
    (
        &[
            concat!("/wo", "rk/"),
            concat!("/ro", "ot/"),
            concat!("/ho", "me/"),
            concat!("/Us", "ers/"),
            concat!("/t", "mp/"),
        ],
        "a path of one machine: make it relative, or take it from the environment",
    ),
    (
        &[
            concat!("pypi", ".org"),
            concat!("python", "hosted.org"),
            concat!("registry.npm", "js"),
            concat!("deb.deb", "ian.org"),
            concat!("index.crates", ".io"),
            concat!("download.py", "torch.org"),
        ],
        "a host of a package registry: name the package and use its ordinary client",
    ),
];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree.iter().filter(|(path, _)| *path != "Cargo.lock") {
        for (number, line) in text.lines().enumerate() {
            for (words, why) in BANS {
                for word in words.iter().filter(|word| stands_alone(line, word)) {
                    problems.push(Problem::new(path, number + 1, format!("`{word}`: {why}")));
                }
            }
        }
    }
    problems
}

/// Not inside a longer word or path.
fn stands_alone(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|text| text.chars().next());
        let goes_on = word.ends_with(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric);
        let begins_before = before.is_some_and(|letter| letter.is_alphanumeric() || "_}$~".contains(letter));
        !goes_on && !begins_before
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_found_with_its_place() {
        for (words, _) in BANS {
            for word in *words {
                let problems = check(&Tree::of(&[("docs/a.md", &format!("fine\nsee {word} there"))]));
                assert!(problems.len() == 1 && problems[0].line == 2, "{word}: {problems:?}");
            }
        }
    }

    #[test]
    fn relative_paths_and_longer_words_do_not_count() {
        let line = format!(
            "crates{}a, $OUT{}b, MAS{}S",
            concat!("/wo", "rk/"),
            concat!("/t", "mp/"),
            concat!("TO", "DO")
        );
        assert_eq!(check(&Tree::of(&[("a.md", &line)])), []);
    }
}
