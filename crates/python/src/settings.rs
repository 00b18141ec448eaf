//! Configurations as dicts: the same keys as in a TOML file.

use crate::error::{Error, Result};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use std::path::PathBuf;
use toml::{Table, Value};
use train::Config;

/// The configuration of a dict, or of the file that a path names, with changes and preset.
pub(crate) fn config(
    object: &Bound<'_, PyAny>,
    has_data: bool,
    preset: Option<&str>,
    changes: Option<&Bound<'_, PyDict>>,
) -> Result<Config> {
    let changes: Vec<String> = changes.map(overrides).transpose()?.unwrap_or_default();
    if let Ok(settings) = object.cast::<PyDict>() {
        let mut table = table("", settings)?;
        for (key, value) in [("kind", "flow"), ("name", "python")] {
            table.entry(key).or_insert_with(|| value.into());
        }
        if has_data {
            // Its own data would be replaced in any case; what else it says of them holds.
            let data = table.entry("data").or_insert_with(|| Table::new().into());
            if let Value::Table(data) = data {
                data.entry("kind").or_insert_with(|| "array".into());
            }
        }
        let text = toml::to_string(&table).map_err(|error| Error::Input(error.to_string()))?;
        return Ok(Config::parse(&text, "the configuration", preset, &changes)?);
    }
    let path: PathBuf = object.extract().map_err(|_| {
        let found = object.get_type().name().map(|name| name.to_string()).unwrap_or_default();
        Error::Input(format!("the configuration is of type {found}: give a dict, or the path of a TOML file"))
    })?;
    Ok(Config::load(&path, preset, &changes)?)
}

/// `key.path=value` for each entry.
fn overrides(changes: &Bound<'_, PyDict>) -> Result<Vec<String>> {
    let change = |(key, setting): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        let key: String = key.extract()?;
        let setting = value(&key, &setting)?;
        Ok(format!("{key}={setting}"))
    };
    changes.iter().map(change).collect()
}

/// The entries that are not None, in their order.
fn table(path: &str, settings: &Bound<'_, PyDict>) -> Result<Table> {
    let mut table = Table::new();
    for (key, setting) in settings.iter().filter(|(_, setting)| !setting.is_none()) {
        let key: String = key.extract()?;
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        table.insert(key, value(&path, &setting)?);
    }
    Ok(table)
}

/// A setting as TOML; numbers of numpy are numbers, and paths text.
fn value(path: &str, object: &Bound<'_, PyAny>) -> Result<Value> {
    if object.is_instance_of::<PyBool>() {
        Ok(Value::Boolean(object.extract()?))
    } else if object.is_instance_of::<PyInt>() {
        Ok(Value::Integer(object.extract()?))
    } else if object.is_instance_of::<PyFloat>() {
        Ok(Value::Float(object.extract()?))
    } else if object.is_instance_of::<PyString>() {
        Ok(Value::String(object.extract()?))
    } else if let Ok(settings) = object.cast::<PyDict>() {
        Ok(Value::Table(table(path, settings)?))
    } else if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
        let items = object.try_iter()?.map(|item| value(path, &item?));
        Ok(Value::Array(items.collect::<Result<_>>()?))
    } else if object.hasattr("tolist")? {
        value(path, &object.call_method0("tolist")?)
    } else if object.hasattr("__fspath__")? {
        value(path, &object.call_method0("__fspath__")?)
    } else {
        let found = object.get_type().name()?.to_string();
        Err(Error::Input(format!("{path} is of type {found}: give a number, text, a list or a dict")))
    }
}
