//! Every key of a configuration: what it takes, its default, and what it is for.
//!
//! This table is what completes a file that leaves keys out, what names the keys that are wrong, and what makes the page
//! of reference. The types that a configuration is read into have the same keys, which a test compares.

mod check;
mod critic;
mod flow;
mod form;
mod generator;
mod page;
mod points;
mod representation;
#[cfg(test)]
mod tests;

pub use check::Fault;
pub(super) use check::{closest, complete, only_its_own};
pub use page::reference;

use super::Kind;
use form::Form;

/// One key.
#[derive(Debug, PartialEq)]
struct Key {
    name: &'static str,
    form: Form,
    absent: Absent,
    /// The default with the representations `explicit` and `hopf-lax`, without a game and of a critic alone, where that is another.
    straight: Option<&'static str>,
    /// The default with `explicit`, where it is not that of both.
    explicit: Option<&'static str>,
    /// What it is about, and so which flows have it.
    about: About,
    says: &'static str,
}

/// What a key is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// What every run has.
    Run,
    /// The game of a flow against a critic.
    Game,
    /// The critic's network, which an explicit flow does not have.
    Adversary,
    /// The updates of a second player, which neither an explicit flow nor a critic alone has.
    SecondPlayer,
}

/// What the defaults of a configuration depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Game {
    /// An explicit flow: one network, and no adversary.
    Explicit,
    /// The Hopf–Lax potential of a critic.
    HopfLax,
    /// No game: a flow that is trained without a critic.
    None,
    /// A critic that is trained alone.
    Critic,
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
        Self { name, form, absent, straight: None, explicit: None, about: About::Run, says }
    }

    /// The same with another default for the representations `explicit` and `hopf-lax`, and for those without a game.
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
        self.about = About::Adversary;
        self
    }

    /// The same as a key of the updates of a second player.
    const fn of_the_second_player(mut self) -> Self {
        self.about = About::SecondPlayer;
        self
    }

    /// The same as a key that only a game has.
    const fn of_the_game(mut self) -> Self {
        self.about = About::Game;
        self
    }

    /// What holds where it is left out.
    fn absent(&self, game: Game) -> Absent {
        let default = match game {
            Game::Explicit => self.explicit.or(self.straight),
            Game::HopfLax | Game::None | Game::Critic => self.straight,
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

impl Game {
    /// What is said of a key that it does not have, and what to do.
    fn lacks(self, key: &Key) -> Option<(&'static str, &'static str)> {
        match (self, key.about) {
            (Self::Explicit, About::Adversary | About::SecondPlayer) => Some((
                "no key of an explicit flow, which has no critic network",
                "leave it out, or write representation = { kind = \"hopf-lax\" }",
            )),
            (Self::Critic, About::SecondPlayer) => Some((
                "no key of a critic that is trained alone",
                "leave it out, training.optimiser is its own",
            )),
            (Self::None, About::Game | About::Adversary | About::SecondPlayer) => Some((
                "no key of a flow that is trained without a critic",
                "leave it out, or write representation = { kind = \"explicit\" }",
            )),
            _ => None,
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
        Kind::Critic => critic::KEYS,
    }
}
