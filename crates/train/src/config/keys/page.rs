//! The page of reference, made of the table of keys.

use super::form::Form;
use super::{About, Absent, Key, keys};
use crate::config::Kind;
use std::fmt::Write;

/// The tables of the page of reference: every key with its default, its values and what it is for, in Markdown.
pub fn reference() -> String {
    let mut page = Page { text: String::new(), told: Vec::new() };
    for kind in Kind::ALL {
        page.line(&format!("\n## A {kind}\n\nAbove all tables `kind = \"{kind}\"` (required), and:"));
        page.keys("", &[("", keys(kind))]);
    }
    page.text
}

struct Page {
    text: String,
    /// The tables that the page has, and their paths.
    told: Vec<(Form, String)>,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// The keys of the table at `path`, in groups below a line that may say when they are there, and then its tables.
    fn keys(&mut self, path: &str, groups: &[(&str, &'static [Key])]) {
        self.line("\n| key | default | takes | what it is |\n| --- | --- | --- | --- |");
        let mut tables = Vec::new();
        for (head, keys) in groups {
            if !head.is_empty() {
                self.line(head);
            }
            for key in *keys {
                let full = if path.is_empty() { key.name.into() } else { format!("{path}.{}", key.name) };
                let table = matches!(key.form, Form::Table(_) | Form::Choice(_));
                let takes = match self.told.iter().chain(&tables).find(|(form, _)| *form == key.form) {
                    Some((_, first)) if table => format!("as `{first}`"),
                    _ if table => "a table, below".into(),
                    _ => key.form.words(),
                };
                if takes == "a table, below" {
                    tables.push((key.form, full.clone()));
                }
                let row = format!("| `{full}` | {} | {takes} | {} |", default(key), key.says);
                self.line(&row);
            }
        }
        self.told.extend(tables.iter().cloned());
        for (form, full) in tables {
            self.line(&format!("\n### `{full}`"));
            match form {
                Form::Table(keys) => self.keys(&full, &[("", keys)]),
                Form::Choice(choice) => {
                    let heads: Vec<String> = choice
                        .variants
                        .iter()
                        .map(|variant| {
                            let mut head = format!("| **`{} = \"{}\"`** |", choice.tag, variant.name);
                            let default =
                                if choice.default == Some(variant.name) { "the default" } else { "" };
                            let _ = write!(head, " {default} | | {} |", variant.says);
                            head
                        })
                        .collect();
                    let mut groups = vec![("", choice.shared)];
                    groups
                        .extend(heads.iter().map(String::as_str).zip(choice.variants.iter().map(|v| v.keys)));
                    self.keys(&full, &groups);
                }
                _ => {}
            }
        }
    }
}

fn default(key: &Key) -> String {
    let plain = match key.absent {
        Absent::Required(_) => "required".into(),
        Absent::Default("{}") => String::new(),
        Absent::Default(value) => format!("`{value}`"),
        Absent::Nothing(_) => "none".into(),
    };
    let said = match (key.explicit, key.straight) {
        (_, Some(hopf_lax)) if matches!(key.about, About::Adversary | About::SecondPlayer) => {
            format!("`hopf-lax` and a critic alone: `{hopf_lax}`, others: {plain}")
        }
        (None, Some(both)) => {
            format!("`{both}` (`network`, `exact-terminal`, `velocity` and generators: {plain})")
        }
        (Some(explicit), _) => format!("`{explicit}` (not `explicit`: {plain})"),
        (None, None) => plain,
    };
    let not = match key.about {
        About::Run => return said,
        About::Game => "not with `matching` or `ot-flow`",
        About::Adversary => "not with `explicit`, `matching` or `ot-flow`",
        About::SecondPlayer => "not with `explicit`, `matching` or `ot-flow`, nor of a critic",
    };
    if said.is_empty() { not.into() } else { format!("{said}; {not}") }
}
