//! Writes the page of reference of all keys of a configuration, docs/configuration.md, to standard output.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

const HEAD: &str = r#"# Keys of a configuration

A configuration is a TOML file. This is a whole one:

```toml
kind = "flow"
name = "mine"
[data]
kind = "file"
file = "points.npy"
```

Everything else has a default that works for the representation `explicit`, which is the default itself, and for `hopf-lax`.
The other representations and generators are there for comparison; some of their keys have to be given, as the column
*default* says.
A table that is left out has the defaults of its keys. The `kind` of a table may be left out where its other keys tell:
`initial = { file = "start.npy" }`.

`[presets.NAME]` holds dotted keys with other values, such as `"training.iterations" = 100`, for `--preset NAME`, and
`--set training.iterations=100` changes a key of one run. All missing, unknown and impossible keys are named before anything
is done.

This page is made of the table that completes and checks configurations, by `cargo run -p train --example keys`.
"#;

fn main() {
    print!("{HEAD}{}", train::config::reference());
}
