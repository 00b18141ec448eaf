//! Reading a configuration: file, preset, overrides, and errors that name the nearest valid key.

use super::keys::{Fault, closest, complete};
use super::{Configuration, Kind};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("configuration {} cannot be read ({source}): check the path", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason given.
        source: std::io::Error,
    },
    /// Not TOML.
    #[error("{origin} is not valid TOML: {reason}")]
    Syntax {
        /// The file.
        origin: String,
        /// What the parser found, with the line.
        reason: String,
    },
    /// Keys that are missing, unknown, or have values that they cannot have: all that there are.
    #[error("{origin}: {}", told(faults))]
    Faults {
        /// The file.
        origin: String,
        /// What is wrong, in the order of the tables.
        faults: Vec<Fault>,
    },
    /// A preset that does not fit the file, or tables that do not fit each other.
    #[error("{origin}: {key}: {reason}")]
    Field {
        /// The file.
        origin: String,
        /// The path of the key.
        key: String,
        /// What is wrong.
        reason: String,
    },
    /// An override that changes nothing that there is.
    #[error("the override `{change}` cannot be used: {reason}")]
    Override {
        /// The override.
        change: String,
        /// What is wrong, with the remedy.
        reason: String,
    },
    /// The text does not say what it describes, or describes something else.
    #[error("{origin}: kind is {found}: {remedy}")]
    Kind {
        /// The file.
        origin: String,
        /// What it says.
        found: String,
        /// What to write instead.
        remedy: String,
    },
    /// A value outside its domain.
    #[error("{key} is {found}: {remedy}")]
    Value {
        /// The path of the key.
        key: String,
        /// Its value.
        found: String,
        /// What to write instead.
        remedy: String,
    },
    /// A value of a network or of an objective outside its domain.
    #[error(transparent)]
    Network(#[from] flows::FlowError),
    /// No such preset.
    #[error("{origin} has no preset `{preset}`: choose one of {available}")]
    Preset {
        /// The file.
        origin: String,
        /// What was asked for.
        preset: String,
        /// The names there are.
        available: String,
    },
}

/// The text of a configuration file.
pub(crate) fn contents(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::Io { path: path.into(), source })
}

/// The folder that a configuration file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// A text with its preset and its overrides; the values are still to be read and checked.
pub(crate) struct Document {
    origin: String,
    kind: Option<Value>,
    table: Table,
}

impl Document {
    pub(crate) fn new(
        text: &str,
        origin: &str,
        preset: Option<&str>,
        overrides: &[String],
    ) -> Result<Self, ConfigError> {
        let mut table = parsed(text, origin)?;
        let presets = match table.remove("presets") {
            Some(Value::Table(presets)) => presets,
            Some(_) => return Err(field(origin, "presets", "must be a table of presets".into())),
            None => Table::new(),
        };
        if let Some(name) = preset.filter(|name| *name != "full") {
            let Some(Value::Table(changes)) = presets.get(name) else {
                let available: Vec<&str> = presets.keys().map(String::as_str).chain(["full"]).collect();
                return Err(ConfigError::Preset {
                    origin: origin.into(),
                    preset: name.into(),
                    available: available.join(", "),
                });
            };
            for (key, value) in changes {
                set(&mut table, key, value.clone())
                    .map_err(|reason| field(origin, &format!("presets.{name}: {key}"), reason))?;
            }
        }
        for change in overrides {
            let refused = |reason: String| ConfigError::Override { change: change.clone(), reason };
            let (key, value) = change
                .split_once('=')
                .ok_or_else(|| refused("write key=value, such as flow.lambda=0.1".into()))?;
            set(&mut table, key.trim(), scalar(value.trim())).map_err(refused)?;
        }
        Ok(Self { origin: origin.into(), kind: table.remove("kind"), table })
    }

    /// What the text says that it describes.
    pub(crate) fn kind(&self) -> Result<Kind, ConfigError> {
        let named = |kind: &Kind| self.kind.as_ref().and_then(Value::as_str) == Some(kind.name());
        Kind::ALL.into_iter().find(named).ok_or_else(|| ConfigError::Kind {
            origin: self.origin.clone(),
            found: self.kind.as_ref().map_or("missing".into(), ToString::to_string),
            remedy: self.kind.as_ref().and_then(Value::as_str).map_or_else(
                || "write kind = \"flow\", \"generator\" or \"critic\" above all tables".into(),
                |found| match closest(found, &Kind::ALL.map(Kind::name)) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => "write \"flow\", \"generator\" or \"critic\"".into(),
                },
            ),
        })
    }

    /// The configuration, its values checked.
    pub(crate) fn read<C: Configuration>(mut self) -> Result<C, ConfigError> {
        if self.kind()? != C::KIND {
            return Err(ConfigError::Kind {
                origin: self.origin.clone(),
                found: format!("{:?}", self.kind()?.name()),
                remedy: format!("give a configuration of kind = {:?}", C::KIND.name()),
            });
        }
        let faults = complete(C::KIND, &mut self.table);
        if !faults.is_empty() {
            return Err(ConfigError::Faults { origin: self.origin, faults });
        }
        let config = C::deserialize(self.table).map_err(|error| unread(&self.origin, &error))?;
        config.validate()?;
        Ok(config)
    }
}

fn parsed(text: &str, origin: &str) -> Result<Table, ConfigError> {
    text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(0, |s| text.get(..s.start).unwrap_or(text).lines().count().max(1));
        ConfigError::Syntax { origin: origin.into(), reason: format!("line {line}: {}", error.message()) }
    })
}

/// What the keys allow and the configuration does not; the parser tells the table in a line of its own.
fn unread(origin: &str, error: &toml::de::Error) -> ConfigError {
    let told = error.to_string();
    let table = told.lines().find_map(|line| line.strip_prefix("in `")?.strip_suffix('`'));
    field(origin, table.unwrap_or("the whole"), error.message().to_owned())
}

/// One fault in the line, several a line each.
fn told(faults: &[Fault]) -> String {
    match faults {
        [fault] => fault.to_string(),
        _ => faults
            .iter()
            .fold(format!("{} keys are wrong", faults.len()), |text, fault| format!("{text}\n  {fault}")),
    }
}

fn field(origin: &str, key: &str, reason: String) -> ConfigError {
    ConfigError::Field { origin: origin.into(), key: key.into(), reason }
}

/// A TOML value, or a bare word as a string.
fn scalar(text: &str) -> Value {
    let parsed: Option<Value> =
        format!("value = {text}").parse::<Table>().ok().and_then(|mut t| t.remove("value"));
    parsed.unwrap_or_else(|| Value::String(text.into()))
}

/// Sets a dotted key, making tables on the way.
fn set(table: &mut Table, key: &str, value: Value) -> Result<(), String> {
    match key.split_once('.') {
        None => {
            table.insert(key.into(), value);
            Ok(())
        }
        Some((head, rest)) => match table.entry(head).or_insert_with(|| Value::Table(Table::new())) {
            Value::Table(inner) => set(inner, rest, value),
            _ => Err(format!("`{head}` is a value, not a table with keys")),
        },
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Configuration, FlowConfig, Points};
    use flows::flow::Steps;
    use std::collections::BTreeMap;

    const SMALL: &str = r#"
kind = "flow"
name = "small"
[data]
kind = "target"
target = "pinwheel"
dim = 2
samples = 100000
[flow]
horizon = 1.0
lambda = 0.5
steps = 5
[representation]
kind = "network"
hidden = [8]
[critic]
divergence = "kl-donsker-varadhan"
lipschitz = { method = "penalty", form = "lp", weight = 1.0 }
hidden = [8]
[training]
iterations = 100
batch = 32
critic_updates = 5
optimiser = { learning_rate = 1e-3 }
critic_optimiser = { learning_rate = 1e-3 }
[presets.smoke]
"training.iterations" = 3
"flow.steps" = { min = 1, max = 4 }
"#;

    fn parse(overrides: &[&str], preset: Option<&str>) -> Result<FlowConfig, String> {
        let overrides: Vec<String> = overrides.iter().map(|s| (*s).to_owned()).collect();
        FlowConfig::parse(SMALL, "small.toml", preset, &overrides).map_err(|e| e.to_string())
    }

    #[test]
    fn presets_and_overrides_are_merged_in_order() {
        let config = parse(&["training.batch=64", "flow.lambda = 0.25"], Some("smoke")).unwrap();
        assert_eq!(config.training.iterations, 3);
        assert_eq!(config.flow.steps, Steps::Drawn { min: 1, max: 4 });
        assert_eq!((config.training.batch, config.flow.lambda), (64, 0.25));
        assert_eq!(parse(&["training.iterations=7"], Some("smoke")).unwrap().training.iterations, 7);
        assert_eq!(parse(&[], None).unwrap().training.iterations, 100);
    }

    #[test]
    fn the_written_form_reads_back_and_the_hash_ignores_the_seed() {
        let config = parse(&[], None).unwrap();
        let again = FlowConfig::parse(&config.to_toml().unwrap(), "again", None, &[]).unwrap();
        assert_eq!(config, again);
        let seeded = FlowConfig { seed: 9, ..config.clone() };
        assert_eq!(config.hash().unwrap(), seeded.hash().unwrap());
        assert_ne!(config.hash().unwrap(), parse(&["flow.lambda=0.4"], None).unwrap().hash().unwrap());
    }

    #[test]
    fn mistakes_name_the_key_and_the_remedy() {
        for (change, expected) in [
            ("flow.lamda=1.0", "did you mean `lambda`?"),
            ("flow.lambda=-1.0", "flow.lambda is -1: "),
            ("flow.lambda=0", "flow.lambda is 0: "),
            (
                "flow.lambda=\"big\"",
                "flow.lambda is \"big\": give a finite number above 0, such as lambda = 0.1",
            ),
            ("data.target=pinweel", "did you mean `pinwheel`?"),
            ("critic.divergence=kll", "critic.divergence is \"kll\": did you mean `kl`?"),
            ("flow.steps=0", "flow.steps is 0: "),
            ("representation.hidden=[]", "representation.hidden is []: "),
            ("training.batch=1", "training.batch is 1: "),
            ("flow.noise=-0.1", "flow.noise is -0.1: "),
            ("critic.divergence_weight=0", "critic.divergence_weight is 0: "),
            ("representation.kind=exact-terminal", "critic.activation is relu: take softplus"),
            ("data.dim=\"two\"", "small.toml: data.dim is \"two\": give a whole number, at least 2"),
            ("data.kind=targe", "data.kind is \"targe\": "),
            ("data.kind=targe", "did you mean `target`?"),
            ("data.samples=1", "data.samples is 1: "),
            ("initial.kind=norml", "did you mean `normal`?"),
            ("initial={ kind = \"normal\", std = 0 }", "initial.std is 0: give a finite number above 0"),
            ("initial={ kind = \"normal\", dim = 3 }", "initial.dim is 3: give 2"),
            (
                "initial={ kind = \"student-t\", degrees_of_freedom = 0.4 }",
                "initial.degrees_of_freedom is 0.4: give a finite number of at least 0.5",
            ),
            (
                "initial={ kind = \"student-t\", degrees_of_freedom = 3, dim = 2, manifold_dim = 3 }",
                "initial.manifold_dim is 3: give at least 1 and at most the dimension",
            ),
            ("critic.lipschitz.weight=\"much\"", "critic.lipschitz.weight is \"much\": give"),
            (
                "critic.lipschitz={ method = \"penalty\", form = \"lp\" }",
                "critic.lipschitz.weight is missing: write weight = 30.0",
            ),
            ("flow.interaction={ kind = \"gausian\" }", "did you mean `gaussian`?"),
            ("name.x=1", "`name` is a value"),
            ("nonsense", "write key=value"),
        ] {
            let error = parse(&[change], None).unwrap_err();
            assert!(error.contains(expected), "{change}: {error}");
            assert!(!error.contains('\n'), "{change} takes more than one line: {error}");
        }
        let repulsion = "flow.interaction={ kind = \"gaussian\", weight = 1.0, width = 0 }";
        let attraction = "flow.interaction={ kind = \"quadratic\", weight = 1.0 }";
        let hopf_lax = "representation={ kind = \"hopf-lax\", refinements = 8, hidden = [8] }";
        for (changes, expected) in [
            ([repulsion, "flow.noise=0"], "flow.interaction.width is 0: "),
            (
                [attraction, "flow.velocity_spread=0.3"],
                "flow.velocity_spread is 0.3: leave it at 0 with noise",
            ),
            (
                ["flow.noise=1", "flow.hamilton_jacobi=0.3"],
                "flow.hamilton_jacobi is 0.3: leave it at 0 with noise",
            ),
            (
                ["flow.noise=1", "flow.characteristic=0.3"],
                "flow.characteristic is 0.3: leave it at 0 with noise",
            ),
            ([hopf_lax, "critic.activation=relu"], "critic.activation is relu: take sharp-softplus"),
            (
                ["representation.kind=velocity", "flow.hamilton_jacobi=0.3"],
                "flow.hamilton_jacobi is 0.3: leave it at 0 for the representation velocity",
            ),
        ] {
            let error = parse(&changes, None).unwrap_err();
            assert!(error.contains(expected), "{changes:?}: {error}");
        }
        let error = parse(&["flow.noise=1", hopf_lax, "critic.activation=softplus"], None).unwrap_err();
        assert!(error.contains("representation.kind is hopf-lax: take network"), "{error}");
        assert!(parse(&[], Some("quikc")).unwrap_err().contains("smoke, full"));
    }

    #[test]
    fn orthonormal_layers_need_pairs_of_relus() {
        let device = "critic.lipschitz={ method = \"orthonormal\" }";
        assert!(parse(&[device], None).is_ok());
        for (change, expected) in [
            ("critic.activation=sharp-softplus", "critic.activation is sharp-softplus: take relu"),
            ("critic.hidden=[8, 7]", "critic.hidden is [8, 7]: give even widths"),
        ] {
            let error = parse(&[device, change], None).unwrap_err();
            assert!(error.contains(expected) && !error.contains('\n'), "{change}: {error}");
        }
    }

    #[test]
    fn the_kind_is_said_and_is_the_one_that_is_read() {
        let text = |first: &str| SMALL.replace("kind = \"flow\"\n", first);
        for (first, expected) in [
            ("", "mine.toml: kind is missing: write kind = \"flow\", \"generator\" or \"critic\""),
            ("kind = \"flwo\"\n", "kind is \"flwo\": did you mean `flow`?"),
            ("kind = 3\n", "kind is 3: write"),
        ] {
            let error = Config::parse(&text(first), "mine.toml", None, &[]).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains('\n'), "{first}: {error}");
        }
        assert!(matches!(Config::parse(SMALL, "mine.toml", None, &[]), Ok(Config::Flow(_))));
        let error = FlowConfig::parse(&text("kind = \"generator\"\n"), "mine.toml", None, &[]);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("kind is \"generator\": give a configuration of kind = \"flow\""), "{error}");
    }

    #[test]
    fn every_kind_of_points_is_read_and_written() {
        for points in [
            "{ kind = \"normal\", std = 0.5 }",
            "{ kind = \"uniform\", low = -1, high = 2.0, dim = 2 }",
            "{ kind = \"logistic\", location = 2.0 }",
            "{ kind = \"target\", target = \"moons\", dim = 2, balanced = true }",
            "{ kind = \"student-t\", degrees_of_freedom = 3, manifold_dim = 1, dim = 2 }",
            "{ kind = \"file\", file = \"points.npy\" }",
            "{ kind = \"array\" }",
        ] {
            let config = parse(&[&format!("initial={points}")], None).unwrap();
            assert_ne!(config.initial, Points::default(), "{points}");
            let again = FlowConfig::parse(&config.to_toml().unwrap(), "again", None, &[]).unwrap();
            assert_eq!(config, again);
        }
        assert_eq!(parse(&[], None).unwrap().initial, Points::Normal { std: 1.0, dim: None });
    }

    #[test]
    fn what_the_keys_let_through_is_named_with_its_table() {
        let table: toml::Table = "flow.steps = \"five\"".parse().unwrap();
        let error = table.try_into::<BTreeMap<String, BTreeMap<String, u32>>>().unwrap_err();
        let told = super::unread("small", &error).to_string();
        assert_eq!(told, "small: flow.steps: invalid type: string \"five\", expected u32");
    }
}
