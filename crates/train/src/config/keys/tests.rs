use super::form::Form;
use super::{Absent, Choice, Key, complete, keys, reference};
use crate::config::{Config, Configuration, CriticConfig, FlowConfig, GeneratorConfig, Kind, Points};
use std::path::Path;
use toml::{Table, Value};

const FIVE_LINES: &str = "kind = \"flow\"\nname = \"mine\"\n[data]\nkind = \"file\"\nfile = \"points.npy\"\n";

fn flow(text: &str) -> Result<FlowConfig, String> {
    FlowConfig::parse(text, "mine.toml", None, &[]).map_err(|error| error.to_string())
}

#[test]
fn five_lines_say_what_the_whole_configuration_of_ones_own_data_says() {
    let whole = "
        [flow]
        horizon = 1.0
        lambda = 0.1
        steps = 1
        [representation]
        kind = \"explicit\"
        base = \"gaussian\"
        refinements = 8
        hidden = [128, 128, 128]
        activation = \"sharp-softplus\"
        [critic]
        divergence = \"kl-donsker-varadhan\"
        divergence_weight = 30.0
        bound = 1.0
        [training]
        iterations = 3000
        batch = 256
        average = 0.998
        log_every = 100
        optimiser = { learning_rate = 2e-3, schedule = { kind = \"cosine\", end = 0.02 } }";
    assert_eq!(flow(FIVE_LINES).unwrap(), flow(&format!("{FIVE_LINES}{whole}")).unwrap());
    // A key of a table leaves the defaults of the others.
    let changed = flow(&format!("{FIVE_LINES}[training.optimiser]\nlearning_rate = 1e-3")).unwrap();
    let mut expected = flow(FIVE_LINES).unwrap();
    expected.training.optimiser.learning_rate = 1e-3;
    assert_eq!(changed, expected);
}

#[test]
fn an_explicit_flow_has_no_keys_of_a_critic_network() {
    let given = "[critic]\nhidden = [8]\n[training]\ncritic_updates = 2\n";
    let error = flow(&format!("{FIVE_LINES}{given}")).unwrap_err();
    for key in ["critic.hidden", "training.critic_updates"] {
        let expected = format!(
            "{key} is no key of an explicit flow, which has no critic network: leave it out, or write representation = {{ \
             kind = \"hopf-lax\" }}"
        );
        assert!(error.contains(&expected), "{error}");
    }
    let hopf_lax = flow(&format!("{FIVE_LINES}{given}[representation]\nkind = \"hopf-lax\"\n")).unwrap();
    assert_eq!((hopf_lax.critic.hidden.as_slice(), hopf_lax.critic.divergence_weight), ([8].as_slice(), 1.0));
    // What is written has none of them either, and reads back.
    let explicit = flow(FIVE_LINES).unwrap();
    let written = explicit.to_toml().unwrap();
    assert!(!written.contains("lipschitz") && !written.contains("critic_"), "{written}");
    assert_eq!(flow(&written).unwrap(), explicit);
}

#[test]
fn flow_matching_has_no_keys_of_a_game() {
    let matching = format!("{FIVE_LINES}[representation]\nkind = \"matching\"\ncoupling = \"optimal\"\n");
    let given = "[critic]\nbound = 2.0\n[flow]\nlambda = 0.1\n[training]\ncritic_updates = 2\n";
    let error = flow(&format!("{matching}{given}")).unwrap_err();
    for key in ["critic", "flow.lambda", "training.critic_updates"] {
        let expected =
            format!("{key} is no key of a flow that is trained without a critic: leave it out, or write");
        assert!(error.contains(&expected), "{error}");
    }
    let config = flow(&format!("{matching}[flow]\nhorizon = 2.0\n")).unwrap();
    let written = config.to_toml().unwrap();
    assert!(!written.contains("critic") && !written.contains("lambda"), "{written}");
    assert_eq!(flow(&written).unwrap(), config);
    let error = flow(&matching.replace("optimal", "optiml")).unwrap_err();
    assert!(error.contains("did you mean `optimal`?"), "{error}");
    let error = flow(&matching.replace("coupling = \"optimal\"", "sigma = -1.0")).unwrap_err();
    assert!(error.contains("representation.sigma is -1"), "{error}");
}

#[test]
fn all_that_is_wrong_is_named_at_once_with_an_example_and_without_types() {
    let error = flow(
        "kind = \"flow\"\nlambda = 0.5\nrepresentation = { kind = \"hopf-lax\" }\n[flow]\nhorizon = \"long\"\nlamda = 0.1\n[critic]\nlipschitz = 1\nbound = -1\n\
         hidden = [8.5]\n[training]\nbatch = 1\niterations = 1e3\noptimizer = { schedule = { kind = \"cosine\" } }",
    )
    .unwrap_err();
    let expected = [
        "mine.toml: 11 keys are wrong",
        "  lambda is no key here: write it in [flow]",
        "  name is missing: write name = \"mine\"",
        "  data is missing: write data = { kind = \"file\", file = \"points.npy\" }",
        "  flow.lamda is no key here: did you mean `lambda`?",
        "  flow.horizon is \"long\": give a finite number above 0, such as horizon = 1.0",
        "  critic.bound is -1: give a finite number above 0, such as bound = 1.0",
        "  critic.lipschitz is 1: give a table whose method is \"none\", \"penalty\", \"spectral\" or \"orthonormal\", \
         such as lipschitz = { method = \"penalty\", form = \"lp\", weight = 30.0 }",
        "  critic.hidden is [8.5]: give a list of at least one hidden width, each a whole number, at least 1, such as \
         hidden = [128, 128, 128]",
        "  training.optimizer is no key here: did you mean `optimiser`?",
        "  training.iterations is 1000.0: give a whole number, at least 1, such as iterations = 3000",
        "  training.batch is 1: give a whole number, at least 2, such as batch = 256",
    ];
    assert_eq!(error.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn an_unknown_representation_is_the_only_fault_of_a_file_that_has_no_other() {
    let unknown =
        |kind: &str| flow(&format!("{FIVE_LINES}[representation]\nkind = \"{kind}\"\n")).unwrap_err();
    let error = unknown("hopflax");
    let expected =
        "mine.toml: representation.kind is \"hopflax\": did you mean `hopf-lax`? (it may be \"explicit\"";
    assert!(error.starts_with(expected) && !error.contains('\n'), "{error}");
    let error = unknown("qqq");
    assert!(error.contains("\"qqq\": give \"explicit\", ") && !error.contains('\n'), "{error}");
}

#[test]
fn a_key_of_another_variant_is_said_to_be_one() {
    let error = flow(&format!(
        "{FIVE_LINES}[representation]\nkind = \"hopf-lax\"\n[critic]\nlipschitz = {{ method = \"spectral\", weight = 3 }}"
    ));
    let words = "critic.lipschitz.weight is no key here: it goes with method = \"penalty\"; leave it out with method = \
                 \"spectral\"";
    assert!(error.as_ref().is_err_and(|error| error.contains(words)), "{error:?}");
}

#[test]
fn the_kind_of_points_may_be_left_to_their_keys() {
    let points = |text: &str| {
        flow(&format!("kind = \"flow\"\nname = \"mine\"\ndata = {{ file = \"a.npy\" }}\ninitial = {text}"))
    };
    let initial = |text: &str| points(text).unwrap().initial;
    let (columns, header, dim, held_out, scaling) = (None, None, None, None, None);
    let file = Points::File { file: "start.npy".into(), columns, header, dim, held_out, scaling };
    assert_eq!(initial("{ file = \"start.npy\" }"), file);
    assert_eq!(initial("{ std = 0.5 }"), Points::Normal { std: 0.5, dim: None });
    assert_eq!(initial("{ low = 0, high = 1 }"), Points::Uniform { low: 0.0, high: 1.0, dim: None });
    for ambiguous in ["{ dim = 2 }", "{}"] {
        let error = points(ambiguous).unwrap_err();
        assert!(error.contains("initial.kind is missing: write one of \"file\", \"normal\""), "{error}");
    }
}

/// A key that nothing has.
const STRANGE: &str = "strange_key";

#[test]
fn the_table_knows_exactly_the_keys_and_words_that_the_types_know() {
    let mut compared = 0;
    for kind in Kind::ALL {
        for without in ["critic", "potentials"] {
            let base: Vec<&Key> = keys(kind).iter().collect();
            let left_out = if kind == Kind::Generator { without } else { "" };
            let mut table = full(base.iter().copied().filter(|key| key.name != left_out));
            table.insert("name".into(), "a".into());
            compared += compare(kind, &table, &mut Vec::new(), &base, None, left_out);
        }
    }
    // Six words, and every table of every variant, twice for what a flow and a generator share.
    assert!(compared > 150, "{compared}");
}

/// A table with an example for every key.
fn full<'a>(keys: impl Iterator<Item = &'a Key>) -> Table {
    keys.map(|key| (key.name.to_owned(), example(key))).collect()
}

fn example(key: &Key) -> Value {
    let text = key.example();
    let mut value = format!("v = {text}").parse::<Table>().unwrap().remove("v").unwrap();
    assert!(key.form.fits(&value), "{}: its own example {text} does not fit", key.name);
    match (key.form, &mut value) {
        (Form::Table(keys), value) => *value = Value::Table(full(keys.iter())),
        (Form::Choice(choice), Value::Table(table)) => {
            let name = table.get(choice.tag).and_then(Value::as_str).unwrap();
            *table = variant(choice, name);
        }
        _ => {}
    }
    value
}

fn variant(choice: &Choice, name: &str) -> Table {
    let keys = choice.variant(name).unwrap().keys;
    let mut table = full(choice.shared.iter().chain(keys));
    table.insert(choice.tag.into(), name.into());
    table
}

/// Compares the keys of the table at `path`, and those below.
fn compare(
    kind: Kind,
    whole: &Table,
    path: &mut Vec<&'static str>,
    keys: &[&'static Key],
    tag: Option<&str>,
    left_out: &str,
) -> usize {
    let mut names: Vec<&str> = keys.iter().map(|key| key.name).collect();
    names.sort_unstable();
    let mut compared = 0;
    // Serde says nothing of a key beside a tag that stands alone.
    if tag.is_none() || !names.is_empty() {
        let message = answer(kind, whole, path, STRANGE, Value::Boolean(true));
        assert!(message.starts_with("unknown field"), "{path:?} {tag:?}: {message}");
        assert_eq!(quoted(&message, STRANGE), names, "{path:?} {tag:?}: {message}");
        compared += 1;
    }
    for key in keys.iter().filter(|key| key.name != left_out) {
        path.push(key.name);
        match key.form {
            Form::Table(inner) => {
                compared += compare(kind, whole, path, &inner.iter().collect::<Vec<_>>(), None, left_out);
            }
            Form::Choice(choice) => {
                let message = answer(kind, whole, path, choice.tag, STRANGE.into());
                let mut names = choice.names();
                names.sort_unstable();
                assert_eq!(quoted(&message, STRANGE), names, "{path:?}: {message}");
                for one in choice.variants {
                    let mut other = whole.clone();
                    *at(&mut other, path) = variant(choice, one.name);
                    let keys: Vec<&Key> = choice.shared.iter().chain(one.keys).collect();
                    compared += compare(kind, &other, path, &keys, Some(choice.tag), left_out);
                }
            }
            Form::Word(words) => {
                let name = path.pop().unwrap();
                let message = answer(kind, whole, path, name, STRANGE.into());
                path.push(name);
                let mut words = words.to_vec();
                words.sort_unstable();
                if message.starts_with("unknown variant") {
                    assert_eq!(quoted(&message, STRANGE), words, "{path:?}: {message}");
                } else {
                    assert!(words.iter().all(|word| message.contains(word)), "{path:?}: {message}");
                }
                compared += 1;
            }
            _ => {}
        }
        path.pop();
    }
    compared
}

fn at<'a>(table: &'a mut Table, path: &[&str]) -> &'a mut Table {
    path.iter().fold(table, |table, key| table.get_mut(*key).unwrap().as_table_mut().unwrap())
}

/// What serde says of a whole configuration in which one key is changed.
fn answer(kind: Kind, whole: &Table, path: &[&str], key: &str, value: Value) -> String {
    let mut table = whole.clone();
    at(&mut table, path).insert(key.into(), value);
    match kind {
        Kind::Flow => table.try_into::<FlowConfig>().map(drop),
        Kind::Generator => table.try_into::<GeneratorConfig>().map(drop),
        Kind::Critic => table.try_into::<CriticConfig>().map(drop),
    }
    .map_err(|error| error.message().to_owned())
    .expect_err(&format!("{path:?}.{key} is taken"))
}

/// The names in backquotes, sorted, but the one that was asked for.
fn quoted<'a>(message: &'a str, asked: &str) -> Vec<&'a str> {
    let mut names: Vec<&str> = message.split('`').skip(1).step_by(2).filter(|name| *name != asked).collect();
    names.sort_unstable();
    names
}

#[test]
fn what_the_table_takes_the_types_take_too() {
    // Values at and beside the ends of every range.
    let values = [
        "0", "1", "2", "-1", "0.0", "0.5", "1.0", "1.5", "-0.5", "1e-300", "1e300", "inf", "nan", "[0]",
        "[1]",
    ];
    let mut taken = 0;
    for name in ["flow", "critic", "training", "sampling"] {
        let mut paths = Vec::new();
        leaves(keys(Kind::Flow).iter().find(|key| key.name == name).unwrap(), "", &mut paths);
        for (path, value) in paths.iter().flat_map(|path| values.map(|value| (path, value))) {
            let mut table: Table = FIVE_LINES.parse().unwrap();
            table.remove("kind");
            let mut place = &mut table;
            let (folder, key) = path.rsplit_once('.').unwrap();
            for part in folder.split('.') {
                place =
                    place.entry(part).or_insert_with(|| Value::Table(Table::new())).as_table_mut().unwrap();
            }
            place.insert(key.into(), format!("v = {value}").parse::<Table>().unwrap().remove("v").unwrap());
            if complete(Kind::Flow, &mut table).is_empty() {
                let config: FlowConfig =
                    table.try_into().unwrap_or_else(|error| panic!("{path} = {value}: {error}"));
                // Terms that do not go together are another matter.
                let bends = [
                    "flow.noise",
                    "flow.kinetic",
                    "flow.velocity_spread",
                    "flow.hamilton_jacobi",
                    "flow.terminal_gradient",
                    "flow.characteristic",
                ];
                assert!(config.validate().is_ok() || bends.contains(&path.as_str()), "{path} = {value}");
                taken += 1;
            }
        }
    }
    assert!(taken > 100, "{taken}");
}

fn leaves(key: &Key, path: &str, into: &mut Vec<String>) {
    let path = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
    match key.form {
        Form::Table(keys) => keys.iter().for_each(|key| leaves(key, &path, into)),
        Form::Choice(_) => {}
        _ => into.push(path),
    }
}

#[test]
fn defaults_are_those_of_the_types_where_these_have_some() {
    // Without Hopf–Lax every key that may be left out is one that the type does not ask for, and both say the same.
    let text = format!(
        "{FIVE_LINES}[representation]\nkind = \"network\"\nhidden = [8]\n[flow]\nhorizon = 1\nlambda = 0.1\nsteps = 2\n\
         [critic]\nhidden = [8]\ndivergence = \"kl\"\nlipschitz = {{ method = \"penalty\", form = \"lp\", weight = 1 }}\n\
         [training]\niterations = 10\nbatch = 8\ncritic_updates = 1\noptimiser = {{ learning_rate = 1 }}\n\
         critic_optimiser = {{ learning_rate = 1 }}"
    );
    let mut table: Table = text.parse().unwrap();
    table.remove("kind");
    let types: FlowConfig = table.try_into().unwrap();
    assert_eq!(flow(&text).unwrap(), types);
}

#[test]
fn every_default_is_a_value() {
    fn visit(keys: &[Key]) {
        for key in keys {
            for text in [Some(key.example()), key.straight, key.explicit].into_iter().flatten() {
                let value = format!("v = {text}").parse::<Table>().map(|table| key.form.fits(&table["v"]));
                assert_eq!(value, Ok(true), "{} = {text}", key.name);
            }
            assert!(key.says.ends_with('.'), "{}", key.name);
            assert!(
                matches!(key.absent, Absent::Required(_))
                    || key.straight.or(key.explicit) != Some(key.example()),
                "{}",
                key.name
            );
            match key.form {
                Form::Table(keys) => visit(keys),
                Form::Choice(choice) => {
                    assert!(choice.default.is_none_or(|name| choice.variant(name).is_some()), "{}", key.name);
                    visit(choice.shared);
                    choice.variants.iter().for_each(|variant| visit(variant.keys));
                }
                _ => {}
            }
        }
    }
    Kind::ALL.into_iter().for_each(|kind| visit(keys(kind)));
}

#[test]
fn the_committed_page_is_what_the_table_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let page = std::fs::read_to_string(path).unwrap();
    let remedy = "cargo run -p train --example keys > docs/configuration.md";
    assert!(
        page.ends_with(&reference()),
        "docs/configuration.md is not what the table of keys makes: {remedy}"
    );
}

#[test]
fn every_committed_configuration_is_read() {
    fn visit(folder: &Path, count: &mut usize) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, count);
            } else if path.file_name().is_some_and(|name| name != "in-print.toml") {
                Config::load(&path, None, &[]).unwrap();
                *count += 1;
            }
        }
    }
    let mut count = 0;
    visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs"), &mut count);
    assert!(count > 80, "{count}");
}
