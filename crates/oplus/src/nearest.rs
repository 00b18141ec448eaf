//! The nearest valid name.

/// The name most like the one that was given.
pub(crate) fn nearest<'a>(given: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names.into_iter().max_by(|a, b| strsim::jaro_winkler(given, a).total_cmp(&strsim::jaro_winkler(given, b)))
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn typing_errors_are_understood() {
        assert_eq!(nearest("tabel1", ["ring", "table1", "fig1"]), Some("table1"));
        assert_eq!(nearest("x", []), None);
    }
}
