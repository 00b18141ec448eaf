//! Reading a configuration: file, preset, overrides, and errors that name the nearest valid key.

use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
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
        /// The file, or the override.
        origin: String,
        /// What the parser found, with the line.
        reason: String,
    },
    /// A key that does not exist or a value of the wrong type.
    #[error("{origin}: {key}: {reason}")]
    Field {
        /// The file.
        origin: String,
        /// The path of the key.
        key: String,
        /// What is wrong, and the nearest valid key.
        reason: String,
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

/// Reads any kind of configuration from a text, its preset and its overrides; the values are still to be checked.
pub(crate) fn merged<T: serde::de::DeserializeOwned>(
    text: &str,
    origin: &str,
    preset: Option<&str>,
    overrides: &[String],
) -> Result<T, ConfigError> {
    let syntax = |error: &toml::de::Error| {
        let line = error.span().map_or(0, |s| text.get(..s.start).unwrap_or(text).lines().count().max(1));
        ConfigError::Syntax { origin: origin.into(), reason: format!("line {line}: {}", error.message()) }
    };
    let mut table: Table = text.parse().map_err(|e| syntax(&e))?;
    let presets = match table.remove("presets") {
        Some(Value::Table(presets)) => presets,
        Some(_) => return Err(field(origin, "presets", "must be a table of presets".into())),
        None => Table::new(),
    };
    match preset {
        None | Some("full") => {}
        Some(name) => match presets.get(name) {
            Some(Value::Table(changes)) => {
                for (key, value) in changes {
                    set(&mut table, key, value.clone())
                        .map_err(|reason| field(origin, &format!("presets.{name}: {key}"), reason))?;
                }
            }
            _ => {
                let mut available: Vec<&str> = presets.keys().map(String::as_str).collect();
                available.push("full");
                return Err(ConfigError::Preset {
                    origin: origin.into(),
                    preset: name.into(),
                    available: available.join(", "),
                });
            }
        },
    }
    for change in overrides {
        let Some((key, value)) = change.split_once('=') else {
            return Err(ConfigError::Syntax {
                origin: format!("--set {change}"),
                reason: "write key=value, such as --set flow.lambda=0.1".into(),
            });
        };
        set(&mut table, key.trim(), scalar(value.trim()))
            .map_err(|reason| field(&format!("--set {change}"), key.trim(), reason))?;
    }
    serde_path_to_error::deserialize(table).map_err(|error| {
        let key = error.path().to_string();
        field(origin, &key, nearest(error.inner().message()))
    })
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

/// Adds the nearest valid name to serde's message about an unknown field or variant.
fn nearest(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    if !message.starts_with("unknown ") {
        return message.into();
    }
    let Some(found) = quoted.next() else { return message.into() };
    let distance = |name: &&str| -(strsim::jaro_winkler(name, found) * 1e6) as i64;
    match quoted.min_by_key(distance) {
        Some(name) => format!("{message}; did you mean `{name}`?"),
        None => message.into(),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, Configuration, Steps};

    const SMALL: &str = r#"
name = "small"
[data]
target = "pinwheel"
dim = 2
[flow]
horizon = 1.0
lambda = 0.5
steps = 5
hidden = [8]
[critic]
divergence = "kl-donsker-varadhan"
lipschitz = { method = "penalty", form = "lp", weight = 1.0 }
hidden = [8]
updates = 5
[training]
iterations = 100
batch = 32
flow = { learning_rate = 1e-3 }
critic = { learning_rate = 1e-3 }
[presets.smoke]
"training.iterations" = 3
"flow.steps" = { min = 1, max = 4 }
"#;

    fn parse(overrides: &[&str], preset: Option<&str>) -> Result<Config, String> {
        let overrides: Vec<String> = overrides.iter().map(|s| (*s).to_owned()).collect();
        Config::parse(SMALL, "small.toml", preset, &overrides).map_err(|e| e.to_string())
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
        let again = Config::parse(&config.to_toml().unwrap(), "again", None, &[]).unwrap();
        assert_eq!(config, again);
        let seeded = Config { seed: 9, ..config.clone() };
        assert_eq!(config.hash().unwrap(), seeded.hash().unwrap());
        assert_ne!(config.hash().unwrap(), parse(&["flow.lambda=0.4"], None).unwrap().hash().unwrap());
    }

    #[test]
    fn mistakes_name_the_key_and_the_remedy() {
        for (change, expected) in [
            ("flow.lamda=1.0", "did you mean `lambda`?"),
            ("flow.lambda=-1.0", "flow.lambda is -1: "),
            ("flow.lambda=0", "flow.lambda is 0: "),
            ("flow.lambda=\"big\"", "flow.lambda: invalid type: string \"big\", expected f64"),
            ("data.target=pinweel", "did you mean `pinwheel`?"),
            ("critic.divergence=kll", "critic.divergence: "),
            ("flow.steps=0", "flow.steps is 0: "),
            ("flow.hidden=[]", "flow.hidden is []: "),
            ("training.batch=1", "training.batch is 1: "),
            ("flow.noise=-0.1", "flow.noise is -0.1: "),
            ("critic.divergence_weight=0", "critic.divergence_weight is 0: "),
            ("flow.representation={ kind = \"exact-terminal\" }", "critic.activation is relu: take softplus"),
            ("name.x=1", "`name` is a value"),
            ("nonsense", "write key=value"),
        ] {
            let error = parse(&[change], None).unwrap_err();
            assert!(error.contains(expected), "{change}: {error}");
            assert!(!error.contains('\n'), "{change} takes more than one line: {error}");
        }
        let repulsion = "flow.interaction={ kind = \"gaussian\", weight = 1.0, width = 0 }";
        let attraction = "flow.interaction={ kind = \"quadratic\", weight = 1.0 }";
        let hopf_lax = "flow.representation={ kind = \"hopf-lax\", refinements = 8 }";
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
            (["flow.noise=1", hopf_lax], "flow.representation is hopf-lax: take network"),
            (
                ["flow.representation={ kind = \"velocity\" }", "flow.hamilton_jacobi=0.3"],
                "flow.hamilton_jacobi is 0.3: leave it at 0 for flow.representation = velocity",
            ),
        ] {
            let error = parse(&changes, None).unwrap_err();
            assert!(error.contains(expected), "{changes:?}: {error}");
        }
        assert!(parse(&[], Some("quikc")).unwrap_err().contains("smoke, full"));
    }

    #[test]
    fn orthonormal_layers_need_pairs_of_relus() {
        let device = "critic.lipschitz={ method = \"orthonormal\" }";
        assert!(parse(&[device], None).is_ok());
        for (change, expected) in [
            ("critic.activation=sharp-softplus", "critic.activation is \"sharp-softplus\": take relu"),
            ("critic.hidden=[8, 7]", "critic.hidden is [8, 7]: give even widths"),
        ] {
            let error = parse(&[device, change], None).unwrap_err();
            assert!(error.contains(expected) && !error.contains('\n'), "{change}: {error}");
        }
    }
}
