//! A configuration for a cloud of points, with comments.

use datasets::TableOptions;
use toml::Value;

/// Iterations that reach the floor of held-out points on the tables of results/own-data.
const ITERATIONS: u64 = 3000;

/// What a configuration says of a cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proposal {
    name: String,
    file: String,
    /// The lines of the configuration that say what is read of the file, where that is not all.
    read: String,
}

impl Proposal {
    /// What fits points that are read so from a file, which the configuration is to call `file`.
    pub(crate) fn of(name: &str, file: &str, options: &TableOptions) -> Self {
        let columns = options.columns.as_ref().map(|columns| Value::String(columns.to_string()));
        let lines = [
            columns.map(|columns| format!("columns = {columns}\n")),
            options.header.map(|header| format!("header = {header}\n")),
        ];
        Self { name: name_of_run(name), file: file.into(), read: lines.into_iter().flatten().collect() }
    }

    /// The configuration as TOML.
    pub(crate) fn to_toml(&self) -> String {
        let Self { name, read, .. } = self;
        let file = Value::String(self.file.clone());
        format!(
            r#"# A flow to the points of {file}. All keys are in docs/configuration.md.
kind = "flow"
name = "{name}"

# The points are centred and divided by one scale before they are trained on; samples and measures are in your units.
[data]
kind = "file"
file = {file}
{read}
# The potential at time 0 is the optimal map between Gaussians and a network, which larger widths make sharper.
[representation]
kind = "explicit"
hidden = [128, 128, 128]

# More iterations make a better flow; the learning rate falls to its end over all of them.
[training]
iterations = {ITERATIONS}

# A first try in a few seconds: --preset quick.
[presets.quick]
"training.iterations" = 600
"training.average" = 0.99
"#,
        )
    }
}

/// A name that a folder may have.
fn name_of_run(stem: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    let name: String = stem.chars().map(plain).collect();
    if name.is_empty() { "own-data".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::Proposal;
    use datasets::TableOptions;
    use train::FlowConfig;
    use train::config::{Configuration, Points};

    #[test]
    fn what_is_proposed_is_a_configuration_for_these_points() {
        let options = TableOptions { columns: Some("0..2,x".parse().unwrap()), header: Some(true) };
        let proposal = Proposal::of("my points (2)", "folder with \"quotes\"/é.csv", &options);
        let config = FlowConfig::parse(&proposal.to_toml(), "proposed", None, &[]).unwrap();
        assert_eq!(config.name, "my-points--2-");
        let Points::File { file, columns, header, dim, .. } = &config.data else { unreachable!() };
        assert_eq!((file.to_str(), *dim), (Some("folder with \"quotes\"/é.csv"), None));
        assert_eq!((columns, *header), (&options.columns, Some(true)));
        // The choice of other columns later is one of the configuration's own.
        let whole = Proposal::of("points", "points.csv", &TableOptions::default()).to_toml();
        assert!(!whole.contains("columns =") && !whole.contains("dim ="), "{whole}");
    }
}
