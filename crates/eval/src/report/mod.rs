//! Reports: one self-contained HTML page with tables and figures; no network, no script.

mod bars;
mod comparison;
mod figure;
mod table;

pub use bars::{Bar, Bars};
pub use comparison::{Columns, Published, comparison};
pub use figure::{
    Cloud, Contours, Curves, Drawing, Figure, FigureError, HeatCell, HeatMap, Images, LevelSeries, Levels,
    Paths, Pen, Pixels, Raster, Scale, Scatter, Series,
};
pub use table::Table;

use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// A report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// The title.
    pub title: String,
    /// One line below the title: how the run ended.
    pub status: String,
    /// The contents in order.
    pub sections: Vec<Section>,
    /// Seconds after which a browser reads the page again; none of a page that is finished.
    #[serde(default)]
    pub refresh: Option<u32>,
}

/// A part of a report with its own heading.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// The heading.
    pub heading: String,
    /// Whether the section starts folded.
    #[serde(default)]
    pub folded: bool,
    /// The contents in order.
    pub blocks: Vec<Block>,
}

/// What a section holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// A paragraph; what stands between backticks is set as code.
    Text(String),
    /// Pages beside this one, each with its address and what is said after its name.
    Links(Vec<Link>),
    /// A text of fixed width, such as a configuration.
    Code(String),
    /// Names and values.
    Facts(Vec<(String, String)>),
    /// A table.
    Table(Table),
    /// Distances against their floors.
    Bars(Bars),
    /// Figures side by side.
    Figures(Vec<Figure>),
    /// Many small figures side by side.
    Pictures(Vec<Figure>),
}

/// A page beside a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What the reader sees.
    pub name: String,
    /// The address, relative to the report; none where there is no such page.
    pub address: Option<String>,
    /// What is said after it.
    pub words: String,
}

impl Page {
    /// The page as one HTML document; style and figures are inline, so the file can be moved and mailed.
    ///
    /// Colours follow the reader's light or dark setting. Complexity: linear in the contents.
    ///
    /// # Errors
    /// [`FigureError`] where a figure has nothing to draw.
    ///
    /// ```
    /// use eval::report::{Block, Page, Section};
    /// let page = Page {
    ///     title: "pinwheel".into(),
    ///     status: "completed".into(),
    ///     sections: vec![Section {
    ///         heading: "Summary".into(),
    ///         blocks: vec![Block::Text("λ < 1".into())],
    ///         ..Section::default()
    ///     }],
    ///     refresh: None,
    /// };
    /// let html = page.to_html()?;
    /// assert!(html.contains("λ &lt; 1") && !html.contains("<script"));
    /// # Ok::<(), eval::report::FigureError>(())
    /// ```
    pub fn to_html(&self) -> Result<String, FigureError> {
        let title = escape(&self.title);
        let refresh =
            self.refresh.map(|seconds| format!("<meta http-equiv=\"refresh\" content=\"{seconds}\">\n"));
        let mut html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n{}\
             <title>{title}</title>\n<style>\n{}</style>\n</head>\n<body>\n\
             <h1>{title}</h1>\n<p class=\"status\">{}</p>\n",
            refresh.unwrap_or_default(),
            include_str!("style.css"),
            escape(&self.status)
        );
        for section in &self.sections {
            section.write_html(&mut html)?;
        }
        html.push_str("</body>\n</html>\n");
        Ok(html)
    }
}

impl Section {
    fn write_html(&self, html: &mut String) -> Result<(), FigureError> {
        let heading = escape(&self.heading);
        if self.folded {
            let _ = writeln!(html, "<details><summary>{heading}</summary>");
        } else {
            let _ = writeln!(html, "<section><h2>{heading}</h2>");
        }
        for block in &self.blocks {
            block.write_html(html)?;
        }
        html.push_str(if self.folded { "</details>\n" } else { "</section>\n" });
        Ok(())
    }
}

impl Block {
    fn write_html(&self, html: &mut String) -> Result<(), FigureError> {
        // Writing into a String cannot fail.
        match self {
            Self::Text(text) => {
                let _ = writeln!(html, "<p>{}</p>", inline(text));
            }
            Self::Links(links) => {
                html.push_str("<ul>");
                for Link { name, address, words } in links {
                    let name = inline(name);
                    let name = match address {
                        Some(address) => format!("<a href=\"{}\">{name}</a>", escape(address)),
                        None => name,
                    };
                    let _ = write!(html, "<li>{name} {}</li>", inline(words));
                }
                html.push_str("</ul>\n");
            }
            Self::Code(text) => {
                let _ = writeln!(html, "<pre>{}</pre>", escape(text));
            }
            Self::Facts(facts) => {
                html.push_str("<dl>");
                for (name, value) in facts {
                    let _ = write!(html, "<dt>{}</dt><dd>{}</dd>", breakable(name), inline(value));
                }
                html.push_str("</dl>\n");
            }
            Self::Table(table) => table.write_html(html),
            Self::Bars(bars) => bars.write_html(html),
            Self::Figures(figures) => write_figures(figures, "figures", html)?,
            Self::Pictures(figures) => write_figures(figures, "pictures", html)?,
        }
        Ok(())
    }
}

fn write_figures(figures: &[Figure], class: &str, html: &mut String) -> Result<(), FigureError> {
    let _ = writeln!(html, "<div class=\"{class}\">");
    for figure in figures {
        let drawing = figure.draw()?;
        let _ = write!(html, "<figure>{}<figcaption>{}", drawing.svg, inline(figure.caption()));
        for (name, pen) in drawing.legend {
            html.push_str(" <span class=\"name\">");
            pen.write_key(html);
            let _ = write!(html, " {}</span>", breakable(&name));
        }
        html.push_str("</figcaption></figure>\n");
    }
    html.push_str("</div>\n");
    Ok(())
}

/// Safe text in which what stands between backticks is code.
fn inline(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let closed = text.matches('`').count() & !1;
    parts.fold(String::new(), |html, (index, part)| match index {
        0 => escape(part),
        _ if index > closed => html + "`" + &escape(part),
        _ if index % 2 == 1 => html + "<code>" + &breakable(part) + "</code>",
        _ => html + &escape(part),
    })
}

/// Safe text that may be broken after underscores, as names of metrics have them.
fn breakable(text: &str) -> String {
    escape(text).replace('_', "_<wbr>")
}

/// Text made safe inside an element or a quoted attribute.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        let curve = Series { name: "loss".into(), points: (0..50).map(|i| (f64::from(i), 1.0)).collect() };
        let cloud = Cloud { name: "data".into(), points: vec![(0.0, 1.0), (2.0, -1.0)] };
        Page {
            title: "a <run>".into(),
            status: "completed".into(),
            sections: vec![Section {
                heading: "All & everything".into(),
                folded: true,
                blocks: vec![
                    Block::Facts(vec![("seed".into(), "0".into())]),
                    Block::Code("x = 1\n".into()),
                    Block::Table(Table::default()),
                    Block::Text("`a_b` and ` left open".into()),
                    Block::Links(vec![Link {
                        name: "a run".into(),
                        address: Some("runs/a/report.html".into()),
                        words: "& more".into(),
                    }]),
                    Block::Bars(Bars {
                        caption: "bars".into(),
                        bars: vec![Bar { name: "w1w2".into(), ratio: Some(1.2), words: "near".into() }],
                    }),
                    Block::Figures(vec![
                        Figure::Curves(Curves {
                            caption: "losses".into(),
                            x_label: "iteration".into(),
                            scale: Scale::Linear,
                            x_scale: Scale::Linear,
                            series: vec![curve],
                        }),
                        Figure::Scatter(Scatter {
                            caption: "clouds".into(),
                            clouds: vec![cloud],
                            bare: false,
                        }),
                    ]),
                ],
            }],
            refresh: Some(30),
        }
    }

    #[test]
    fn a_page_needs_nothing_from_outside() {
        let html = page().to_html().unwrap();
        assert!(html.contains("<code>a_<wbr>b</code> and ` left open"));
        assert!(html.contains("<a href=\"runs/a/report.html\">a run</a> &amp; more"));
        assert!(html.contains("a &lt;run&gt;") && html.contains("All &amp; everything"));
        // The name of SVG's namespace is an identifier that nothing fetches; it is the only address.
        let rest = html.replace("http://www.w3.org/2000/svg", "");
        for outside in ["http:", "https:", "//", "<script", "<link", "@import", "url(", "src="] {
            assert!(!rest.contains(outside), "the report contains {outside}");
        }
    }

    /// Every element that is opened is closed, in order; void elements aside.
    #[test]
    fn elements_are_balanced() {
        let html = page().to_html().unwrap();
        let mut open = Vec::new();
        for tag in html.split('<').skip(1) {
            let name: String =
                tag.chars().take_while(|c| c.is_alphanumeric() || *c == '/' || *c == '!').collect();
            let inside = tag.split('>').next().unwrap();
            if name == "meta" || name == "wbr" || name.starts_with('!') || inside.ends_with('/') {
                continue;
            }
            match name.strip_prefix('/') {
                Some(name) => assert_eq!(open.pop().as_deref(), Some(name)),
                None => open.push(name),
            }
        }
        assert!(open.is_empty(), "left open: {open:?}");
    }

    #[test]
    fn pages_are_serialisable() {
        let text = serde_json::to_string(&page()).unwrap();
        assert_eq!(serde_json::from_str::<Page>(&text).unwrap(), page());
    }
}
