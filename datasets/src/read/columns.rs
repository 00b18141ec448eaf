//! Which columns of a table are coordinates.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Columns of a table in the order in which they become coordinates: by index from 0, by range, or by name.
///
/// As text they stand with commas between them: `0,2`, `1..` (from 1 to the last), `..3`, `0..2,5`, `height,weight`. In a
/// configuration they may be a list as well, which a name with a comma needs. Digits are an index, never a name.
///
/// ```
/// let columns: datasets::Columns = "0..2,5".parse()?;
/// assert_eq!(columns.to_string(), "0..2,5");
/// assert!("3..1".parse::<datasets::Columns>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Columns(Vec<Column>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Column {
    Index(usize),
    /// From the first, up to and without the second.
    Range(usize, Option<usize>),
    Name(String),
}

/// Columns in a configuration.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "give columns by index from 0, range or name, such as \"0..2\" or [0, 3]")]
enum Written {
    One(Item),
    Many(Vec<Item>),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "give columns by index from 0, range or name, such as \"0..2\" or [0, 3]")]
enum Item {
    Index(usize),
    Text(String),
}

impl Columns {
    /// The indices of the columns in a table of `width` columns with these names, where it has names; the error is what
    /// is wrong, with the remedy.
    pub(super) fn indices(&self, width: usize, names: Option<&[String]>) -> Result<Vec<usize>, String> {
        let mut found = Vec::new();
        for column in &self.0 {
            match *column {
                Column::Index(index) if index < width => found.push(index),
                Column::Range(from, to) if from < to.unwrap_or(width) && to.unwrap_or(width) <= width => {
                    found.extend(from..to.unwrap_or(width));
                }
                Column::Name(ref name) => found.push(named(name, names)?),
                _ => {
                    return Err(format!(
                        "has no column {column}: it has {width}, which are counted from 0 and end at {}",
                        width.saturating_sub(1)
                    ));
                }
            }
        }
        Ok(found)
    }

    /// Whether a column is given by its name.
    #[must_use]
    pub fn has_names(&self) -> bool {
        self.0.iter().any(|column| matches!(column, Column::Name(_)))
    }
}

fn named(name: &str, names: Option<&[String]>) -> Result<usize, String> {
    let Some(names) = names else {
        return Err(format!(
            "has no names of columns, and so no column \"{name}\": pick columns by their index from 0"
        ));
    };
    let mut found = (0..).zip(names).filter(|(_, known)| *known == name);
    match (found.next(), found.next()) {
        (Some((index, _)), None) => Ok(index),
        (Some(_), Some(_)) => {
            Err(format!("has several columns \"{name}\": pick columns by their index from 0"))
        }
        (None, _) => {
            let known: Vec<String> = names.iter().take(20).map(|name| format!("{name:?}")).collect();
            Err(format!("has no column \"{name}\": choose among {}", known.join(", ")))
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(formatter, "{index}"),
            Self::Range(from, None) => write!(formatter, "{from}.."),
            Self::Range(from, Some(to)) => write!(formatter, "{from}..{to}"),
            Self::Name(name) => formatter.write_str(name),
        }
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, column) in self.0.iter().enumerate() {
            write!(formatter, "{}{column}", if position > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

impl FromStr for Column {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Ok(index) = text.parse() {
            return Ok(Self::Index(index));
        }
        let end = |text: &str| if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) };
        let range = text.split_once("..").and_then(|(from, to)| Some((end(from)?, end(to)?)));
        match range {
            Some((from, to)) if to.is_none_or(|to| from.unwrap_or(0) < to) => {
                Ok(Self::Range(from.unwrap_or(0), to))
            }
            Some(_) => Err(format!(
                "the range {text} has no columns: write FROM..TO with FROM below TO, such as 0..2"
            )),
            None if text.is_empty() => {
                Err("a column has no name: write indices, ranges or names, such as 0..2,x".into())
            }
            None => Ok(Self::Name(text.into())),
        }
    }
}

impl FromStr for Columns {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self(text.split(',').map(str::parse).collect::<Result<_, _>>()?))
    }
}

impl TryFrom<Written> for Columns {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let column = |item: &Item| match item {
            Item::Index(index) => Ok(Column::Index(*index)),
            Item::Text(text) => text.parse(),
        };
        let columns: Vec<Column> = match &written {
            Written::One(Item::Text(text)) => return text.parse(),
            Written::One(item) => vec![column(item)?],
            Written::Many(items) => items.iter().map(column).collect::<Result<_, _>>()?,
        };
        if columns.is_empty() {
            Err("no columns: leave the list out to take all".into())
        } else {
            Ok(Self(columns))
        }
    }
}

impl From<Columns> for Written {
    fn from(columns: Columns) -> Self {
        let item = |column| match column {
            Column::Index(index) => Item::Index(index),
            other => Item::Text(other.to_string()),
        };
        Self::Many(columns.0.into_iter().map(item).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Columns;

    fn columns(text: &str) -> Columns {
        text.parse().unwrap()
    }

    #[test]
    fn columns_are_found_by_index_range_and_name() {
        let names = ["x", "y", "a, b", "label"].map(str::to_owned);
        for (text, expected) in [
            ("0", vec![0]),
            ("2,0", vec![2, 0]),
            ("1..", vec![1, 2, 3]),
            ("..2", vec![0, 1]),
            ("label, x", vec![3, 0]),
        ] {
            assert_eq!(columns(text).indices(4, Some(&names)).unwrap(), expected, "{text}");
        }
        #[derive(serde::Serialize, serde::Deserialize)]
        struct Section {
            columns: Columns,
        }
        for (text, expected) in [
            ("columns = 3", vec![3]),
            ("columns = \"1..3\"", vec![1, 2]),
            ("columns = [0, \"a, b\", \"3..\"]", vec![0, 2, 3]),
        ] {
            let read: Section = toml::from_str(text).unwrap();
            assert_eq!(read.columns.indices(4, Some(&names)).unwrap(), expected, "{text}");
            let again: Section = toml::from_str(&toml::to_string(&read).unwrap()).unwrap();
            assert_eq!(again.columns, read.columns);
        }
    }

    #[test]
    fn columns_that_are_not_there_are_named() {
        let names = ["x", "x"].map(str::to_owned);
        for (text, names, expected) in [
            ("2", None, "has no column 2: it has 2"),
            ("1..3", None, "has no column 1..3"),
            ("x", None, "has no names of columns"),
            ("x", Some(&names[..]), "several columns \"x\""),
            ("z", Some(&names[..]), "has no column \"z\": choose among \"x\", \"x\""),
        ] {
            let error = columns(text).indices(2, names).unwrap_err();
            assert!(error.starts_with(expected) || error.contains(expected), "{text}: {error}");
        }
        for wrong in ["", "0,,1", "2..2", "3..1"] {
            assert!(wrong.parse::<Columns>().is_err(), "{wrong}");
        }
    }
}
