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
pub(super) use check::{closest, complete, without_adversary};
pub use page::reference;

use super::Kind;
use form::Form;

/// One key.
#[derive(Debug, PartialEq)]
struct Key {
    name: &'static str,
    form: Form,
    absent: Absent,
    /// The default with the representations `explicit` and `hopf-lax`, where that is another.
    straight: Option<&'static str>,
    /// The default with `explicit`, where it is not that of both.
    explicit: Option<&'static str>,
    /// Whether it is about the critic's network, which an explicit flow does not have.
    adversary: bool,
    says: &'static str,
}

/// What the defaults of a configuration depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Game {
    /// An explicit flow: one network, and no adversary.
    Explicit,
    /// The Hopf–Lax potential of a critic.
    HopfLax,
    /// Everything else.
    Other,
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
        Self::of(name, form, Absent::Required(example), says)
    }

    /// A key that is `default` where it is left out.
    const fn new(name: &'static str, form: Form, default: &'static str, says: &'static str) -> Self {
        Self::of(name, form, Absent::Default(default), says)
    }

    /// A key that may be left out, and says nothing then.
    const fn optional(name: &'static str, form: Form, example: &'static str, says: &'static str) -> Self {
        Self::of(name, form, Absent::Nothing(example), says)
    }

    const fn of(name: &'static str, form: Form, absent: Absent, says: &'static str) -> Self {
        Self { name, form, absent, straight: None, explicit: None, adversary: false, says }
    }

    /// The same with another default for the representations `explicit` and `hopf-lax`.
    const fn with_straight(mut self, default: &'static str) -> Self {
        self.straight = Some(default);
        self
    }

    /// The same with another default for `explicit`.
    const fn with_explicit(mut self, default: &'static str) -> Self {
        self.explicit = Some(default);
        self
    }

    /// The same as a key that an explicit flow does not have.
    const fn of_the_adversary(mut self) -> Self {
        self.adversary = true;
        self
    }

    /// What holds where it is left out.
    fn absent(&self, game: Game) -> Absent {
        let default = match game {
            Game::Explicit => self.explicit.or(self.straight),
            Game::HopfLax => self.straight,
            Game::Other => None,
        };
        default.map_or(self.absent, Absent::Default)
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
