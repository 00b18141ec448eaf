//! Every key of a configuration: what it takes, its default, and what it is for.
//!
//! This table is what completes a file that leaves keys out, what names the keys that are wrong, and what makes the page
//! of reference. The types that a configuration is read into have the same keys, which a test compares.

mod check;
mod flow;
mod form;
mod generator;
mod page;
mod points;
#[cfg(test)]
mod tests;

pub use check::Fault;
pub(super) use check::{closest, complete};
pub use page::reference;

use super::Kind;
use form::Form;

/// One key.
#[derive(Debug, PartialEq)]
struct Key {
    name: &'static str,
    form: Form,
    absent: Absent,
    /// The default with the representation `hopf-lax`, where that is another.
    hopf_lax: Option<&'static str>,
    says: &'static str,
}

/// What holds where a key is left out.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Absent {
    /// It has to be given, for example like this.
    Required(&'static str),
    /// A value of TOML.
    Default(&'static str),
    /// Nothing; given, it may look like this.
    Nothing(&'static str),
}

/// A table that is one of several, as the value of its key `tag` says.
#[derive(Debug, PartialEq)]
struct Choice {
    tag: &'static str,
    /// The variant of a table that does not say and whose keys do not tell.
    default: Option<&'static str>,
    /// The keys of every variant.
    shared: &'static [Key],
    variants: &'static [Variant],
}

/// One of several tables.
#[derive(Debug, PartialEq)]
struct Variant {
    name: &'static str,
    says: &'static str,
    keys: &'static [Key],
}

impl Key {
    /// A key that has to be given, such as `example`.
    const fn required(name: &'static str, form: Form, example: &'static str, says: &'static str) -> Self {
        Self { name, form, absent: Absent::Required(example), hopf_lax: None, says }
    }

    /// A key that is `default` where it is left out.
    const fn new(name: &'static str, form: Form, default: &'static str, says: &'static str) -> Self {
        Self { name, form, absent: Absent::Default(default), hopf_lax: None, says }
    }

    /// A key that may be left out, and says nothing then.
    const fn optional(name: &'static str, form: Form, example: &'static str, says: &'static str) -> Self {
        Self { name, form, absent: Absent::Nothing(example), hopf_lax: None, says }
    }

    /// The same with another default for the representation `hopf-lax`.
    const fn with_hopf_lax(mut self, default: &'static str) -> Self {
        self.hopf_lax = Some(default);
        self
    }

    /// What holds where it is left out.
    fn absent(&self, hopf_lax: bool) -> Absent {
        self.hopf_lax.filter(|_| hopf_lax).map_or(self.absent, Absent::Default)
    }

    /// A value that it may have.
    fn example(&self) -> &'static str {
        match self.absent {
            Absent::Required(value) | Absent::Default(value) | Absent::Nothing(value) => value,
        }
    }
}

impl Choice {
    fn variant(&self, name: &str) -> Option<&'static Variant> {
        self.variants.iter().find(|variant| variant.name == name)
    }

    fn names(&self) -> Vec<&'static str> {
        self.variants.iter().map(|variant| variant.name).collect()
    }
}

/// The keys above all tables, and the tables.
fn keys(kind: Kind) -> &'static [Key] {
    match kind {
        Kind::Flow => flow::KEYS,
        Kind::Generator => generator::KEYS,
    }
}
