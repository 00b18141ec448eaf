//! Rules over Rust code: comments and strings do not count.

use super::tree::Tree;
use super::{Problem, mask};

const MOST_LINES: usize = 500;

/// Words that a part of the tree must not use.
struct Ban {
    words: &'static [&'static str],
    /// Paths, by their beginning, where the words are fine.
    except: &'static [&'static str],
    tests_too: bool,
    why: &'static str,
}

const BANS: &[Ban] = &[
    Ban {
        words: &["tch::", "use tch", "torch_sys::"],
        except: &["crates/flows/src/torch", "crates/flows/tests/torch", "crates/flows/src/error.rs"],
        tests_too: true,
        why: "only the torch module of flows touches libtorch: add what is needed there",
    },
    Ban {
        words: &[
            "fs::write",
            "File::create",
            "fs::rename",
            "fs::copy",
            "OpenOptions",
            "NamedTempFile",
            "tempfile::",
        ],
        except: &[
            "crates/train/",
            "crates/oplus/",
            "crates/eval/src/report",
            "datasets/",
            "xtask/",
            "benches/",
        ],
        tests_too: false,
        why: "only train, oplus, xtask, the writers of datasets and the report of eval write files",
    },
    Ban {
        words: &[
            "std::fs",
            "std::net",
            "std::io",
            "std::env",
            "std::time",
            "rand::",
            "rand_chacha::",
            "rand_distr::",
        ],
        except: &[
            "crates/train/",
            "crates/oplus/",
            "crates/flows/",
            "crates/ot-core/",
            "crates/eval/",
            "datasets/",
            "xtask/",
            "benches/",
            "tests/",
        ],
        tests_too: false,
        why: "mfg is pure: no random numbers, no input or output, no clock",
    },
    Ban {
        words: &[
            "thread_rng",
            "rand::rng",
            "rand::random",
            "from_entropy",
            "from_os_rng",
            "OsRng",
            "SmallRng",
            "StdRng",
            "manual_seed",
            "randn",
            "f_randn",
            "randn_like",
            "f_randn_like",
            "rand_like",
            "f_rand_like",
            "f_rand",
            "Tensor::rand",
            "f_dropout",
            "dropout",
            "f_bernoulli",
            "f_randperm",
            "randperm",
            "f_multinomial",
        ],
        except: &[],
        tests_too: true,
        why: "all randomness is a ChaCha8 stream: take one from datasets::stream(seed, name, step)",
    },
    Ban {
        words: &["println!", "print!", "eprintln!", "eprint!", "dbg!"],
        except: &["crates/oplus/", "xtask/", "tests/", "benches/"],
        tests_too: false,
        why: "only the programs print: return the value, or tell an observer",
    },
    Ban {
        words: &["todo!", "unimplemented!"],
        except: &[],
        tests_too: true,
        why: "nothing is left half done: write it, or leave it out",
    },
    Ban {
        words: &[
            "allow(clippy::unwrap_used",
            "allow(clippy::expect_used",
            "allow(clippy::panic",
            "#![feature",
            "static mut",
        ],
        except: &[],
        tests_too: false,
        why: "library code does not panic and stays on stable Rust: return an error",
    },
];

pub fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, source) in tree.ending(".rs") {
        let lines = source.lines().count();
        if lines > MOST_LINES {
            let message = format!("{lines} lines, more than {MOST_LINES}: give each subject its own file");
            problems.push(Problem::new(path, lines, message));
        }
        let code = mask::comments_and_strings(source);
        let without_tests = if is_test(path) { String::new() } else { mask::test_items(&code) };
        for ban in BANS.iter().filter(|ban| !ban.except.iter().any(|beginning| path.starts_with(beginning))) {
            // A build script talks to cargo by printing.
            if path.ends_with("/build.rs") && ban.words.contains(&"println!") {
                continue;
            }
            let code = if ban.tests_too { &code } else { &without_tests };
            for (number, line) in code.lines().enumerate() {
                if let Some(word) = ban.words.iter().find(|word| contains_word(line, word)) {
                    problems.push(Problem::new(path, number + 1, format!("`{word}`: {}", ban.why)));
                }
            }
        }
    }
    problems
}

/// Test modules in files of their own, and what cargo builds from `tests`, `benches` and `examples`.
fn is_test(path: &str) -> bool {
    let in_folder = path.split('/').any(|folder| ["tests", "benches", "examples"].contains(&folder));
    in_folder || path.ends_with("/tests.rs") || path.ends_with("_tests.rs")
}

/// Whether the word occurs with no letter, digit or underscore before or (unless it ends in punctuation) after it.
fn contains_word(line: &str, word: &str) -> bool {
    let in_a_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|text| text.chars().next());
        let open = word.ends_with(|letter: char| !in_a_word(letter)) || !after.is_some_and(in_a_word);
        open && !before.is_some_and(in_a_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(path: &str, source: &str) -> Vec<String> {
        check(&Tree::of(&[(path, source)])).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_ban_fires_outside_its_home_and_nowhere_else() {
        for (bad, good, line) in [
            ("crates/train/src/a.rs", "crates/flows/src/torch/a.rs", "use tch::Tensor;"),
            ("crates/ot-core/src/a.rs", "crates/train/src/a.rs", "std::fs::write(path, text)"),
            ("crates/eval/src/a.rs", "crates/eval/src/report/a.rs", "let file = File::create(path);"),
            ("crates/mfg/src/a.rs", "crates/ot-core/src/a.rs", "use rand::RngExt;"),
            ("crates/flows/src/a.rs", "crates/oplus/src/a.rs", "println!();"),
        ] {
            let found = messages(bad, &format!("\n{line}"));
            assert!(found.len() == 1 && found[0].starts_with(&format!("{bad}:2: ")), "{line}: {found:?}");
            assert_eq!(messages(good, line), [""; 0], "{line}");
        }
        for line in [
            "rand::rng()",
            "let x = thread_rng();",
            "Tensor::f_randn(&[2])",
            "tch::manual_seed(1)",
            "todo!()",
        ] {
            assert!(!messages("crates/flows/src/torch/a.rs", line).is_empty(), "{line}");
        }
        for line in ["#[allow(clippy::unwrap_used, reason = \"\")]", "#![feature(x)]"] {
            assert_eq!(messages("crates/train/src/a.rs", line).len(), 1, "{line}");
        }
    }

    #[test]
    fn comments_strings_longer_words_and_tests_do_not_count() {
        let source = "// println!\nlet x = \"println!\";\nmy_println!();\n#[cfg(test)]\nmod tests { fn f() { println!(); } }\n";
        assert_eq!(messages("crates/flows/src/a.rs", source), [""; 0]);
        for test in ["tests/a.rs", "examples/a.rs", "src/a/tests.rs", "src/order_tests.rs"] {
            assert_eq!(messages(&format!("crates/flows/{test}"), "println!();"), [""; 0], "{test}");
        }
        assert_eq!(messages("crates/flows/build.rs", "println!();"), [""; 0]);
        assert_eq!(messages("crates/flows/src/a.rs", "let dropout_rate = my::randn_table;"), [""; 0]);
        assert_eq!(
            messages("crates/flows/tests/a.rs", "rand::rng()").len(),
            1,
            "randomness counts in tests too"
        );
    }

    #[test]
    fn a_long_file_is_named() {
        assert_eq!(messages("crates/flows/src/a.rs", &"\n".repeat(MOST_LINES)), [""; 0]);
        assert_eq!(messages("crates/flows/src/a.rs", &"\n".repeat(MOST_LINES + 1)).len(), 1);
    }
}
