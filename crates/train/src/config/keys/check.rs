//! Completes a configuration with the defaults, and names all that is wrong with it.

use super::form::{Form, listed};
use super::representation::REPRESENTATION;
use super::{Absent, Choice, Game, Key, Variant, keys};
use crate::config::Kind;
use std::fmt;
use toml::{Table, Value};

/// A key that is missing, unknown, or has a value that it cannot have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The path of the key, such as `flow.lambda`.
    pub key: String,
    /// What it is: its value, missing, or no key.
    pub found: String,
    /// What to write instead.
    pub remedy: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, found, remedy } = self;
        write!(formatter, "{key} is {found}: {remedy}")
    }
}

/// Writes the defaults of all keys that are left out into the table of a configuration, and returns what is wrong with
/// it.
pub(in crate::config) fn complete(kind: Kind, table: &mut Table) -> Vec<Fault> {
    let mut check = Check { kind, game: game(kind, table), faults: Vec::new() };
    check.table("", keys(kind).iter().collect(), table, None);
    check.faults
}

/// What the configuration that a table describes is about.
fn game(kind: Kind, table: &Table) -> Game {
    let representation = table.get("representation").and_then(Value::as_table);
    match representation.and_then(|table| table.get("kind")).and_then(Value::as_str) {
        _ if kind == Kind::Critic => Game::Critic,
        _ if kind != Kind::Flow => Game::Other,
        None | Some("explicit") => Game::Explicit,
        Some("hopf-lax") => Game::HopfLax,
        Some("matching" | "ot-flow") => Game::None,
        Some(name) if REPRESENTATION.variant(name).is_some() => Game::Other,
        // Of an unknown one its name alone is told: a Hopf–Lax flow has all keys, and a default for each.
        Some(_) => Game::HopfLax,
    }
}

/// Takes out of the table of a configuration the keys that it does not have.
pub(in crate::config) fn only_its_own(kind: Kind, table: &mut Table) {
    fn prune(game: Game, keys: &[Key], table: &mut Table) {
        for key in keys {
            if game.lacks(key).is_some() {
                table.remove(key.name);
            }
            if let (Form::Table(inner), Some(Value::Table(table))) = (key.form, table.get_mut(key.name)) {
                prune(game, inner, table);
            }
        }
    }
    prune(game(kind, table), keys(kind), table);
}

struct Check {
    kind: Kind,
    game: Game,
    faults: Vec<Fault>,
}

impl Check {
    fn fault(&mut self, key: String, found: impl fmt::Display, remedy: String) {
        self.faults.push(Fault { key, found: found.to_string(), remedy });
    }

    /// A table of some keys; `choice` is where they come from, with the variant that is not to be taken for an unknown key.
    fn table(&mut self, path: &str, keys: Vec<&Key>, table: &mut Table, choice: Option<(&Choice, &Variant)>) {
        for name in table.keys() {
            if !keys.iter().any(|key| key.name == name) && choice.is_none_or(|(choice, _)| choice.tag != name)
            {
                let remedy = self.instead(name, path, &keys, choice);
                self.fault(joined(path, name), "no key here", remedy);
            }
        }
        for key in keys {
            let path = joined(path, key.name);
            if let Some((found, remedy)) = self.game.lacks(key) {
                if table.contains_key(key.name) {
                    self.fault(path, found, remedy.into());
                }
                continue;
            }
            if let Some(value) = table.get_mut(key.name) {
                self.value(path, key, value);
                continue;
            }
            match key.absent(self.game) {
                Absent::Nothing(_) => {}
                Absent::Required(example) => {
                    self.fault(path, "missing", format!("write {} = {example}", key.name));
                }
                Absent::Default(text) => {
                    let mut value = value(text);
                    self.value(path, key, &mut value);
                    table.insert(key.name.into(), value);
                }
            }
        }
    }

    fn value(&mut self, path: String, key: &Key, value: &mut Value) {
        if !key.form.fits(value) {
            let found = match (key.form, &*value) {
                (Form::Number(_), Value::Float(x)) => x.to_string(),
                (_, other) => other.to_string(),
            };
            let remedy = remedy(key, value);
            return self.fault(path, found, remedy);
        }
        match (key.form, value) {
            (Form::Table(keys), Value::Table(table)) => {
                self.table(&path, keys.iter().collect(), table, None);
            }
            (Form::Choice(choice), Value::Table(table)) => self.choice(&path, key, choice, table),
            _ => {}
        }
    }

    fn choice(&mut self, path: &str, key: &Key, choice: &'static Choice, table: &mut Table) {
        let tag = joined(path, choice.tag);
        let names = choice.names();
        let variant = match table.get(choice.tag) {
            None => choice.told_by(table),
            Some(Value::String(name)) => choice.variant(name),
            Some(_) => None,
        };
        let Some(variant) = variant else {
            return match table.get(choice.tag) {
                None => {
                    let remedy =
                        format!("write one of {}, such as {} = {}", listed(&names), key.name, key.example());
                    self.fault(tag, "missing", remedy);
                }
                Some(found) => {
                    let remedy = nearest(found, &names).unwrap_or_else(|| format!("give {}", listed(&names)));
                    self.fault(tag, found.clone(), remedy);
                }
            };
        };
        table.insert(choice.tag.into(), variant.name.into());
        let keys = choice.shared.iter().chain(variant.keys).collect();
        self.table(path, keys, table, Some((choice, variant)));
    }

    /// What to do about the key `name` of the table `path`, where there is none.
    fn instead(&self, name: &str, path: &str, keys: &[&Key], choice: Option<(&Choice, &Variant)>) -> String {
        if let Some((choice, variant)) = choice
            && let Some(other) = choice.variants.iter().find(|v| v.keys.iter().any(|key| key.name == name))
        {
            let (tag, other, this) = (choice.tag, other.name, variant.name);
            return format!("it goes with {tag} = \"{other}\"; leave it out with {tag} = \"{this}\"");
        }
        let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
        if let Some(name) = closest(name, &names) {
            return format!("did you mean `{name}`?");
        }
        if let Some(home) = home(super::keys(self.kind), "", name) {
            return format!("write it {home}");
        }
        match path {
            "" => format!("the keys and tables are {}", names.join(", ")),
            _ if names.is_empty() => "leave it out".into(),
            _ => format!("the keys of {path} are {}", names.join(", ")),
        }
    }
}

impl Choice {
    /// The variant of a table without a tag: the default, or the only one that has all its keys.
    fn told_by(&'static self, table: &Table) -> Option<&'static Variant> {
        if let Some(name) = self.default {
            return self.variant(name);
        }
        let has = |variant: &&Variant| {
            let mut keys = variant.keys.iter().chain(self.shared);
            table.keys().all(|name| keys.clone().any(|key| key.name == name)) && keys.next().is_some()
        };
        let mut fit = self.variants.iter().filter(has);
        fit.next().filter(|_| fit.next().is_none() && !table.is_empty())
    }
}

/// Where the tables have a key of this name, in words.
fn home(keys: &[Key], path: &str, name: &str) -> Option<String> {
    keys.iter().find_map(|key| match key.form {
        _ if key.name == name && path.is_empty() => Some("above all tables".into()),
        _ if key.name == name => Some(format!("in [{path}]")),
        Form::Table(inner) => home(inner, &joined(path, key.name), name),
        Form::Choice(choice) => home(choice.shared, &joined(path, key.name), name),
        _ => None,
    })
}

fn remedy(key: &Key, found: &Value) -> String {
    nearest(found, key.form.names())
        .unwrap_or_else(|| format!("give {}, such as {} = {}", key.form.words(), key.name, key.example()))
}

/// The nearest of some names, and all of them.
fn nearest(found: &Value, names: &[&str]) -> Option<String> {
    let name = closest(found.as_str()?, names)?;
    Some(format!("did you mean `{name}`? (it may be {})", listed(names)))
}

/// The name most like `found`, where one is like it.
pub(in crate::config) fn closest<'a>(found: &str, names: &[&'a str]) -> Option<&'a str> {
    let likeness = |name: &str| strsim::jaro_winkler(name, found);
    let name = names.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(name) > LIKE).then_some(name)
}

/// Slips of the fingers are above .8, other words below .7 (Jaro–Winkler).
const LIKE: f64 = 0.75;

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.into() } else { format!("{path}.{name}") }
}

/// The value of a text of this table.
fn value(text: &str) -> Value {
    let parsed = format!("value = {text}").parse::<Table>().ok().and_then(|mut table| table.remove("value"));
    // The texts are constants, all of which are read in the tests.
    parsed.unwrap_or_else(|| Value::String(text.into()))
}
