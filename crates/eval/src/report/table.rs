//! Tables, written once and rendered as Markdown and as HTML.

use super::{breakable, escape, inline};
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

    /// The table for a terminal of `width` columns: cells in line, the caption above. Columns that do not fit stand in
    /// further blocks below, each with the first `keys` columns before it.
    ///
    /// ```
    /// use eval::report::Table;
    /// let table = Table {
    ///     caption: String::new(),
    ///     head: ["row", "w1", "w2"].map(Into::into).into(),
    ///     rows: vec![["a", "0.5", "0.25"].map(Into::into).into()],
    /// };
    /// assert_eq!(table.to_text(40, 1), "row  w1   w2\na    0.5  0.25\n");
    /// assert_eq!(table.to_text(9, 1), "row  w1\na    0.5\n\nrow  w2\na    0.25\n");
    /// ```
    #[must_use]
    pub fn to_text(&self, width: usize, keys: usize) -> String {
        let cells: Vec<Vec<&str>> =
            std::iter::once(&self.head).chain(&self.rows).map(|row| self.cells(row).collect()).collect();
        let widest = |column: usize| {
            let lengths = cells.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            lengths.max().unwrap_or(0) + GAP
        };
        let keys = keys.min(self.head.len());
        let key_width: usize = (0..keys).map(widest).sum();
        let mut blocks: Vec<Vec<usize>> = vec![Vec::new()];
        let mut used = key_width;
        for column in keys..self.head.len() {
            if used + widest(column) > width + GAP && blocks.last().is_some_and(|block| !block.is_empty()) {
                blocks.push(Vec::new());
                used = key_width;
            }
            used += widest(column);
            blocks.last_mut().into_iter().for_each(|block| block.push(column));
        }
        let mut text = wrapped(&self.caption, width);
        for (index, block) in blocks.iter().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            for row in &cells {
                let mut line = String::new();
                for column in (0..keys).chain(block.iter().copied()) {
                    let cell = row.get(column).copied().unwrap_or_default();
                    let _ = write!(line, "{cell:<width$}", width = widest(column));
                }
                text += line.trim_end();
                text.push('\n');
            }
        }
        text
    }

    /// Rows become lists of names and values on a narrow screen: each cell knows the name of its column.
    pub(super) fn write_html(&self, html: &mut String) {
        if !self.caption.is_empty() {
            let _ = writeln!(html, "<p class=\"caption\">{}</p>", inline(&self.caption));
        }
        html.push_str("<table><thead><tr>");
        for name in &self.head {
            let _ = write!(html, "<th scope=\"col\">{}</th>", breakable(name));
        }
        html.push_str("</tr></thead><tbody>");
        for row in &self.rows {
            html.push_str("<tr>");
            for (name, cell) in self.head.iter().zip(self.cells(row)) {
                // A number stays with its sign of spread.
                let words = inline(cell).replace(" ± ", " ±\u{a0}");
                let _ = write!(html, "<td data-name=\"{}\">{words}</td>", escape(name));
            }
            html.push_str("</tr>");
        }
        html.push_str("</tbody></table>\n");
    }

    fn cells<'a>(&'a self, row: &'a [String]) -> impl Iterator<Item = &'a str> {
        (0..self.head.len()).map(|column| row.get(column).map_or("", String::as_str))
    }
}

/// Blanks between two columns of a text.
const GAP: usize = 2;

/// A paragraph in lines of at most `width` letters, each with its end.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push('\n');
            used = 0;
        } else if used > 0 {
            lines.push(' ');
            used += 1;
        }
        lines += word;
        used += length;
    }
    if !lines.is_empty() {
        lines.push('\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_a_text_is_wider_than_the_terminal() {
        let names: Vec<String> = (0..9).map(|i| format!("metric_{i}")).collect();
        let table = Table {
            caption: "What this shows is told in more words than one line of it has.".into(),
            rows: vec![names.iter().map(|name| format!("{name}: 1 ± 2")).collect(); 2],
            head: names,
        };
        for width in [40, 80, 200] {
            let text = table.to_text(width, 1);
            assert!(text.lines().all(|line| line.chars().count() <= width), "{text}");
            assert!((1..9).all(|i| text.contains(&format!("metric_{i}: 1 ± 2"))), "{text}");
        }
    }

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
        assert!(html.contains("<td data-name=\"a\">&lt;1&gt;</td><td data-name=\"b\"></td>"), "{html}");
        assert!(!html.contains('3') && !html.contains("caption"), "{html}");
    }
}
