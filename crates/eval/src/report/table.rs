//! Tables, written once and rendered as Markdown and as HTML.

use super::escape;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// A table of text; rows shorter than the head are filled with empty cells, longer ones are cut.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// What the table shows.
    pub caption: String,
    /// The names of the columns.
    pub head: Vec<String>,
    /// The cells, row by row.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// The table in GitHub's Markdown, its caption above as a paragraph.
    ///
    /// ```
    /// use eval::report::Table;
    /// let table = Table {
    ///     caption: "Distances".into(),
    ///     head: vec!["row".into(), "w2".into()],
    ///     rows: vec![vec!["a|b".into(), "0.1".into()]],
    /// };
    /// assert_eq!(table.to_markdown(), "Distances\n\n| row | w2 |\n| --- | --- |\n| a\\|b | 0.1 |\n");
    /// ```
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            cells.fold(String::from("|"), |line, cell| {
                line + " " + &cell.replace('|', "\\|").replace('\n', " ") + " |"
            }) + "\n"
        };
        let mut text = if self.caption.is_empty() { String::new() } else { format!("{}\n\n", self.caption) };
        text += &line(&mut self.head.iter().map(String::as_str));
        text += &line(&mut self.head.iter().map(|_| "---"));
        for row in &self.rows {
            text += &line(&mut self.cells(row));
        }
        text
    }

    pub(super) fn write_html(&self, html: &mut String) {
        html.push_str("<div class=\"wide\"><table>");
        if !self.caption.is_empty() {
            let _ = write!(html, "<caption>{}</caption>", escape(&self.caption));
        }
        html.push_str("<thead><tr>");
        for name in &self.head {
            let _ = write!(html, "<th scope=\"col\">{}</th>", escape(name));
        }
        html.push_str("</tr></thead><tbody>");
        for row in &self.rows {
            html.push_str("<tr>");
            for cell in self.cells(row) {
                let _ = write!(html, "<td>{}</td>", escape(cell));
            }
            html.push_str("</tr>");
        }
        html.push_str("</tbody></table></div>\n");
    }

    fn cells<'a>(&'a self, row: &'a [String]) -> impl Iterator<Item = &'a str> {
        (0..self.head.len()).map(|column| row.get(column).map_or("", String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ragged_rows_fit_the_head_and_html_is_escaped() {
        let table = Table {
            caption: String::new(),
            head: vec!["a".into(), "b".into()],
            rows: vec![vec!["<1>".into()], vec!["1".into(), "2".into(), "3".into()]],
        };
        assert_eq!(table.to_markdown(), "| a | b |\n| --- | --- |\n| <1> |  |\n| 1 | 2 |\n");
        let mut html = String::new();
        table.write_html(&mut html);
        assert!(html.contains("<td>&lt;1&gt;</td><td></td>"), "{html}");
        assert!(!html.contains('3') && !html.contains("caption"), "{html}");
    }
}
