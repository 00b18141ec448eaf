//! Rules over Rust code that clippy does not know; what clippy knows stands in `clippy.toml` and the workspace's lints.

use super::Problem;
use super::tree::Tree;

const MOST_LINES: usize = 500;

/// Words that a part of the tree must not use.
struct Ban {
    words: &'static [&'static str],
    /// Where they are banned: paths, by their beginning.
    within: &'static [&'static str],
    /// Where they are fine all the same.
    except: &'static [&'static str],
    why: &'static str,
}

const LIBRARIES: &[&str] = &[
    "crates/eval/src",
    "crates/flows/src",
    "crates/measure/src",
    "crates/metrics/src",
    "crates/mfg/src",
    "crates/ot-core/src",
    "crates/simd/src",
    "crates/train/src",
    "datasets/src",
];

const BANS: &[Ban] = &[
    Ban {
        words: &["tch::", "use tch"],
        within: &["crates/flows/"],
        except: &["crates/flows/src/torch", "crates/flows/src/error.rs"],
        why: "only the torch module of flows touches libtorch: add what is needed there",
    },
    Ban {
        words: &["std::fs", "std::net", "std::io", "std::env", "std::time"],
        within: &["crates/mfg/src"],
        except: &[],
        why: "mfg is pure: no input or output, no clock",
    },
    Ban {
        words: &[
            "cargo xtask",
            "OPLUS_",
            "--data",
            "--device",
            "--jobs",
            "--out",
            "--preset",
            "--resume",
            "--rows",
            "--seed",
            "--set",
            "--steps",
        ],
        within: LIBRARIES,
        // The places that read the variables which say where data sets lie and how wide vectors are.
        except: &["datasets/src/manifest.rs", "crates/simd/src/width.rs"],
        why: "a library knows no command line: name the field and the remedy, and let oplus add its flag",
    },
    Ban {
        words: &["fs::write", "File::create", "fs::rename", "fs::copy"],
        within: &["crates/", "datasets/src"],
        // The output of a run that is under way can be read meanwhile.
        // What a build script writes is the build's own.
        // A damaged checkpoint gets another name.
        except: &[
            "datasets/src/write/mod.rs",
            "crates/oplus/src/campaign/queue.rs",
            "crates/oplus/build.rs",
            "crates/train/src/run/checkpoints.rs",
        ],
        why: "a file is written whole or not at all: take datasets::write_whole",
    },
    Ban {
        words: &["allow(clippy::unwrap_used", "allow(clippy::expect_used", "allow(clippy::panic"],
        within: &["crates/", "datasets/src"],
        except: &[],
        why: "code that is no test does not panic: return an error",
    },
];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, source) in tree.ending(".rs") {
        let lines = source.lines().count();
        if lines > MOST_LINES {
            let message = format!("{lines} lines, more than {MOST_LINES}: give each subject its own file");
            problems.push(Problem::new(path, lines, message));
        }
        let starts = |beginnings: &[&str]| beginnings.iter().any(|beginning| path.starts_with(beginning));
        for ban in BANS.iter().filter(|ban| starts(ban.within) && !starts(ban.except)) {
            for (number, line) in code(path, source) {
                if let Some(word) = ban.words.iter().find(|word| holds(line, word)) {
                    problems.push(Problem::new(path, number, format!("`{word}`: {}", ban.why)));
                }
            }
        }
    }
    problems
}

/// Whether the line holds the word, not as the end of a longer one.
fn holds(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
    })
}

/// The numbered lines without comments and without tests, whose module stands at the end of a file.
fn code<'source>(path: &str, source: &'source str) -> impl Iterator<Item = (usize, &'source str)> {
    let end = if is_test(path) { Some(0) } else { source.find("\n#[cfg(test)]\nmod ") };
    let code = end.and_then(|end| source.get(..end)).unwrap_or(source);
    code.lines()
        .enumerate()
        .map(|(number, line)| (number + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Test modules in files of their own, and what cargo builds from `tests`, `benches` and `examples`.
fn is_test(path: &str) -> bool {
    let in_folder = path.split('/').any(|folder| ["tests", "benches", "examples"].contains(&folder));
    in_folder || path.ends_with("/tests.rs") || path.ends_with("_tests.rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(path: &str, source: &str) -> Vec<String> {
        check(&Tree::of(&[(path, source)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_ban_fires_where_it_counts_and_nowhere_else() {
        for (bad, good, line) in [
            ("crates/flows/src/a.rs", "crates/flows/src/torch/a.rs", "use tch::Tensor;"),
            ("crates/mfg/src/a.rs", "crates/ot-core/src/a.rs", "use std::time::Instant;"),
            ("crates/train/src/a.rs", "datasets/src/write/mod.rs", "std::fs::write(path, text)?;"),
            ("crates/train/src/a.rs", "crates/oplus/src/a.rs", "bail!(\"continue with --resume\")"),
            (
                "crates/train/src/a.rs",
                "crates/train/tests/a.rs",
                "#[allow(clippy::unwrap_used, reason = \"\")]",
            ),
        ] {
            let found = messages(bad, &format!("\n{line}"));
            assert!(found.len() == 1 && found[0].starts_with(&format!("{bad}:2: ")), "{line}: {found:?}");
            assert_eq!(messages(good, line), [""; 0], "{line}");
        }
    }

    #[test]
    fn comments_longer_words_and_tests_do_not_count() {
        assert_eq!(messages("crates/flows/src/a.rs", "scratch::with(|buffer| fill(buffer))"), [""; 0]);
        let source =
            "//! std::io\n/// std::io\nfn f() {}\n\n#[cfg(test)]\nmod tests {\n    use std::io;\n}\n";
        assert_eq!(messages("crates/mfg/src/a.rs", source), [""; 0]);
        for test in ["src/a/tests.rs", "src/order_tests.rs"] {
            assert_eq!(messages(&format!("crates/mfg/{test}"), "use std::io;"), [""; 0], "{test}");
        }
    }

    #[test]
    fn a_long_file_is_named() {
        assert_eq!(messages("crates/flows/src/a.rs", &"\n".repeat(MOST_LINES)), [""; 0]);
        assert_eq!(messages("crates/flows/src/a.rs", &"\n".repeat(MOST_LINES + 1)).len(), 1);
    }
}
