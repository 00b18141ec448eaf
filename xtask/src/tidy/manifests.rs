//! Rules over the Cargo.toml files: which crate may depend on which, and what every crate says of itself.

use super::Problem;
use super::tree::Tree;
use toml::{Table, Value};

/// A crate and the crates of this workspace that it may depend on, from the bottom to the top.
const DIRECTION: &[(&str, &[&str])] = &[
    ("datasets", &[]),
    ("metrics", &[]),
    ("say", &[]),
    ("simd", &[]),
    ("ot-core", &["simd"]),
    ("mfg", &["metrics", "ot-core"]),
    ("flows", &["metrics", "simd", "ot-core", "mfg"]),
    ("train", &["datasets", "metrics", "say", "simd", "ot-core", "mfg", "flows"]),
    ("eval", &["metrics", "ot-core"]),
    ("measure", &["datasets", "metrics", "ot-core", "mfg", "flows", "train", "eval"]),
    ("oplus", &["datasets", "metrics", "say", "simd", "ot-core", "mfg", "flows", "train", "eval", "measure"]),
    ("oplus-python", &["datasets", "metrics", "simd", "ot-core", "mfg", "flows", "train", "eval", "measure"]),
    ("xtask", &["datasets", "say", "simd"]),
    (
        "oplus-benches",
        &["datasets", "metrics", "say", "simd", "ot-core", "mfg", "flows", "train", "eval", "measure"],
    ),
];

/// Crates from elsewhere that some of ours must not depend on, their tests aside.
struct Ban {
    dependencies: &'static [&'static str],
    within: &'static [&'static str],
    why: &'static str,
}

const BANS: &[Ban] = &[
    Ban {
        dependencies: &["clap", "anyhow"],
        within: &[
            "datasets", "metrics", "say", "simd", "ot-core", "mfg", "flows", "train", "eval", "measure",
        ],
        why: "a library knows no command line, and its errors have types",
    },
    Ban {
        dependencies: &["chacha20", "rand", "rand_chacha", "rand_distr"],
        within: &["mfg", "metrics", "simd"],
        why: "this crate draws no random numbers",
    },
];

/// The only crate that may link libtorch, and only if asked to.
const HOME_OF_TORCH: &str = "flows";
const INHERITED: &[&str] = &["version", "edition", "rust-version", "license"];
/// What a registry asks of a library, or its readers.
const PUBLISHED: &[&str] = &["keywords", "categories", "metadata"];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (path, text) in tree.ending("Cargo.toml") {
        // A file that does not parse is a problem of its own, found with all other TOML.
        let Ok(manifest) = toml::from_str::<Table>(text) else { continue };
        let Some(Value::Table(package)) = manifest.get("package") else { continue };
        // A package with a workspace of its own stands for a crate elsewhere.
        if manifest.contains_key("workspace") {
            continue;
        }
        let mut report =
            |word: &str, message: String| problems.push(Problem::new(path, line_of(text, word), message));
        if package.get("description").and_then(Value::as_str).is_none_or(|text| text.len() < 20) {
            report("[package]", "no description: say in one sentence what the crate is for".to_owned());
        }
        for key in INHERITED.iter().filter(|key| !inherits(package.get(**key))) {
            report("[package]", format!("`{key}` is not the workspace's: write `{key}.workspace = true`"));
        }
        if package.get("publish").and_then(Value::as_bool) != Some(false) {
            for key in PUBLISHED.iter().filter(|key| !package.contains_key(**key)) {
                report(
                    "[package]",
                    format!("a crate that is published has `{key}`; a program has `publish = false`"),
                );
            }
            if !tree.holds(&path.replace("Cargo.toml", "README.md")) {
                report(
                    "[package]",
                    "a crate that is published has a README.md beside its manifest".to_owned(),
                );
            }
        }
        if !inherits(manifest.get("lints")) {
            report(
                "[lints]",
                "the lints of the workspace do not count here: add `[lints]`, `workspace = true`".to_owned(),
            );
        }
        let Some(name) = package.get("name").and_then(Value::as_str) else { continue };
        let Some((_, allowed)) = DIRECTION.iter().find(|(crate_name, _)| *crate_name == name) else {
            report(
                "name",
                format!(
                    "`{name}` has no place in the direction of dependencies: give it one in xtask's tidy rules"
                ),
            );
            continue;
        };
        for (section, dependency, value) in dependencies(&manifest) {
            let ours = DIRECTION.iter().any(|(crate_name, _)| *crate_name == dependency);
            // Tests may draw their inputs from the bottom crate.
            let allowed =
                allowed.contains(&dependency) || (section == "dev-dependencies" && dependency == "datasets");
            if ours && !allowed {
                report(
                    dependency,
                    format!("{name} must not depend on {dependency}: dependencies point one way"),
                );
            }
            let banned = |ban: &&Ban| ban.within.contains(&name) && ban.dependencies.contains(&dependency);
            if let Some(ban) = BANS.iter().find(banned).filter(|_| section == "dependencies") {
                report(dependency, format!("{name} must not depend on {dependency}: {}", ban.why));
            }
            let optional = value.get("optional").and_then(Value::as_bool) == Some(true);
            if ["tch", "torch-sys"].contains(&dependency) && !(name == HOME_OF_TORCH && optional) {
                report(
                    dependency,
                    format!(
                        "{name} must not link libtorch: only {HOME_OF_TORCH} does, as an optional dependency"
                    ),
                );
            }
        }
    }
    problems
}

fn inherits(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
}

/// Section, name and specification of every dependency.
fn dependencies(manifest: &Table) -> Vec<(&str, &str, &Value)> {
    let mut found = Vec::new();
    for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let table = manifest.get(section).and_then(Value::as_table);
        found.extend(table.into_iter().flatten().map(|(name, value)| (section, name.as_str(), value)));
    }
    found
}

fn line_of(text: &str, word: &str) -> usize {
    text.lines().position(|line| line.trim_start().starts_with(word)).unwrap_or(0) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(name: &str, rest: &str) -> String {
        let inherited: String = INHERITED.iter().map(|key| format!("{key}.workspace = true\n")).collect();
        format!(
            "[package]\nname = \"{name}\"\ndescription = \"A crate for the tests of the rules\"\n{inherited}\
             publish = false\n[lints]\nworkspace = true\n{rest}"
        )
    }

    fn messages(text: &str) -> Vec<String> {
        check(&Tree::of(&[("a/Cargo.toml", text)])).into_iter().map(|problem| problem.to_string()).collect()
    }

    #[test]
    fn dependencies_point_one_way() {
        for (name, dependency, fine) in [
            ("mfg", "ot-core", true),
            ("ot-core", "mfg", false),
            ("datasets", "ot-core", false),
            ("flows", "train", false),
            ("eval", "flows", false),
            ("train", "flows", true),
            ("xtask", "train", false),
        ] {
            let text = manifest(name, &format!("[dependencies]\n{dependency}.workspace = true\n"));
            let found = messages(&text);
            assert_eq!(found.is_empty(), fine, "{name} -> {dependency}: {found:?}");
            assert!(found.iter().all(|message| message.starts_with("a/Cargo.toml:12: ")), "{found:?}");
        }
        assert_eq!(
            messages(&manifest("ot-core", "[dev-dependencies]\ndatasets.workspace = true\n")),
            [""; 0]
        );
    }

    #[test]
    fn some_crates_from_elsewhere_are_for_some_of_ours() {
        for (name, section, dependency, fine) in [
            ("train", "dependencies", "clap", false),
            ("oplus", "dependencies", "clap", true),
            ("mfg", "dependencies", "rand", false),
            ("mfg", "dev-dependencies", "rand", true),
            ("ot-core", "dependencies", "rand", true),
        ] {
            let text = manifest(name, &format!("[{section}]\n{dependency}.workspace = true\n"));
            assert_eq!(messages(&text).is_empty(), fine, "{name} -> {dependency}");
        }
    }

    #[test]
    fn only_flows_links_libtorch_and_only_if_asked() {
        let optional = "[dependencies]\ntch = { workspace = true, optional = true }\n";
        assert_eq!(messages(&manifest("flows", optional)), [""; 0]);
        assert_eq!(messages(&manifest("flows", "[dependencies]\ntch.workspace = true\n")).len(), 1);
        assert_eq!(messages(&manifest("xtask", optional)).len(), 1);
        assert_eq!(messages(&manifest("eval", "[dev-dependencies]\ntch = \"1\"\n")).len(), 1);
    }

    #[test]
    fn a_crate_describes_itself_and_inherits() {
        let good = manifest("mfg", "");
        assert_eq!(messages(&good), [""; 0]);
        for line in [
            "description = \"A crate for the tests of the rules\"\n",
            "edition.workspace = true\n",
            "[lints]\nworkspace = true\n",
        ] {
            assert_eq!(messages(&good.replace(line, "")).len(), 1, "{line}");
        }
        assert_eq!(messages(&manifest("newcomer", "")).len(), 1);
        assert_eq!(messages(&good.replace("publish = false\n", "")).len(), 1 + PUBLISHED.len());
    }
}
