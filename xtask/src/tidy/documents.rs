//! Rules over the documents: links lead somewhere, and the map names every crate.

use super::Problem;
use super::tree::Tree;

const MAP: &str = "ARCHITECTURE.md";
const INVARIANT: &str = "Architecture Invariant:";

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = map(tree);
    for (path, text) in tree.ending(".md") {
        for (line, target) in links(text) {
            if let Err(why) = resolve(tree, path, text, target) {
                problems.push(Problem::new(path, line, format!("the link `{target}` leads nowhere: {why}")));
            }
        }
    }
    problems
}

/// The map names the folder of each crate, and states the invariants.
fn map(tree: &Tree) -> Vec<Problem> {
    let Some(text) = tree.get(MAP) else {
        return vec![Problem::new(MAP, 1, "the file is missing: it is the map of the code")];
    };
    let mut problems = Vec::new();
    for (path, _) in tree.ending("/Cargo.toml") {
        let folder = path.trim_end_matches("/Cargo.toml");
        if !text.contains(&format!("`{folder}`")) {
            problems.push(Problem::new(MAP, 1, format!("`{folder}` is not on the map: say what it is for")));
        }
    }
    if !text.contains(INVARIANT) {
        problems.push(Problem::new(MAP, 1, format!("no line says `{INVARIANT}`")));
    }
    problems
}

/// Line and target of every inline link outside code blocks.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        let mut rest = line;
        while let Some((_, after)) = rest.split_once("](") {
            let Some((target, next)) = after.split_once(')') else { break };
            found.push((number + 1, target));
            rest = next;
        }
    }
    found
}

fn resolve(tree: &Tree, from: &str, text: &str, target: &str) -> Result<(), String> {
    if target.starts_with("https://") || target.starts_with("mailto:") {
        return Ok(());
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let path = if file.is_empty() { from.to_owned() } else { join(folder, file)? };
    if !tree.holds(&path) {
        return Err(format!("there is no {path}"));
    }
    let headings = if file.is_empty() { Some(text) } else { tree.get(&path) };
    if anchor.is_empty() || headings.is_some_and(|text| has_heading(text, anchor)) {
        Ok(())
    } else {
        Err(format!("{path} has no heading `{anchor}`"))
    }
}

/// A relative path from a folder, with `.` and `..` taken away.
fn join(folder: &str, file: &str) -> Result<String, String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop().ok_or("it leaves the workspace")?),
            part => parts.push(part),
        }
    }
    Ok(parts.join("/"))
}

/// Whether a heading has this anchor by the common rule: lower case, spaces to hyphens, other punctuation dropped.
fn has_heading(text: &str, anchor: &str) -> bool {
    text.lines().filter(|line| line.starts_with('#')).any(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let slug: String = title
            .chars()
            .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter))
            .map(|letter| if letter == ' ' { '-' } else { letter })
            .collect();
        slug == anchor
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD_MAP: (&str, &str) = ("ARCHITECTURE.md", "# Map\n`crates/a`\nArchitecture Invariant: one.\n");

    fn messages(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn links_must_resolve() {
        for (link, fine) in [
            ("other.md", true),
            ("../ARCHITECTURE.md", true),
            ("../ARCHITECTURE.md#map", true),
            ("../ARCHITECTURE.md#elsewhere", false),
            ("#a-heading-with-code", true),
            ("#nothing", false),
            ("..", true),
            ("../..", false),
            ("absent.md", false),
            ("https://example.org/x", true),
        ] {
            let text = format!("## A heading, with `code`\n[x]({link})\n");
            let found = messages(&[GOOD_MAP, ("docs/a.md", &text), ("docs/other.md", "")]);
            assert_eq!(found.is_empty(), fine, "{link}: {found:?}");
            assert!(found.iter().all(|message| message.starts_with("docs/a.md:2: ")), "{found:?}");
        }
        assert_eq!(messages(&[GOOD_MAP, ("a.md", "```\n[x](absent)\n```\n")]), [""; 0]);
    }

    #[test]
    fn the_map_names_every_crate() {
        assert_eq!(messages(&[GOOD_MAP, ("crates/a/Cargo.toml", "")]), [""; 0]);
        assert_eq!(messages(&[GOOD_MAP, ("crates/b/Cargo.toml", "")]).len(), 1);
        assert_eq!(messages(&[("ARCHITECTURE.md", "# Map\n")]).len(), 1);
        assert_eq!(messages(&[]).len(), 1);
    }
}
