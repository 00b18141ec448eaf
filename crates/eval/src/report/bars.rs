//! Distances against their floors, as bars.

use super::{escape, inline};
use crate::summary::significant;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// The ratio at which bars begin.
const LEAST: f64 = 0.5;
/// The least ratio at which they end.
const MOST: f64 = 10.0;
/// The largest ratio at which they end: what is beyond, such as a run that has diverged, fills the width, and the others
/// can still be told from each other.
const LARGEST: f64 = 1000.0;
/// Up to this ratio a distance is at its floor, and up to the second one near it: as `results::Verdict` says it.
const GRADES: [(f64, &str); 2] = [(1.5, "reached"), (3.0, "near")];

/// Bars of one length scale, which is logarithmic, with the floor at ratio 1 marked in all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bars {
    /// What the bars show.
    pub caption: String,
    /// The bars from top to bottom.
    pub bars: Vec<Bar>,
}

/// One bar of [`Bars`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bar {
    /// What is measured.
    pub name: String,
    /// Its value over its floor; none of what has no value.
    pub ratio: Option<f64>,
    /// The same in words.
    pub words: String,
}

impl Bar {
    /// The bar of something that is `ratio` times its floor; `what` says the value.
    #[must_use]
    pub fn over_floor(name: String, ratio: f64, what: &str) -> Self {
        let times = if ratio < 100.0 { format!("{ratio:.1}") } else { significant(ratio) };
        Self { name, ratio: Some(ratio), words: format!("{times} × floor: {what}") }
    }
}

impl Bars {
    pub(super) fn write_html(&self, html: &mut String) {
        // Writing into a String cannot fail.
        let most = self.bars.iter().filter_map(|bar| bar.ratio).fold(MOST, f64::max).min(LARGEST);
        let place = |ratio: f64| 100.0 * ((ratio / LEAST).ln() / (most / LEAST).ln()).clamp(0.0, 1.0);
        let _ = write!(html, "<figure class=\"bars\"><figcaption>{}</figcaption>", inline(&self.caption));
        for Bar { name, ratio, words } in &self.bars {
            let _ = write!(html, "<div><span>{}</span><span class=\"track\">", inline(name));
            if let Some(ratio) = ratio {
                let grade = GRADES.iter().find(|(limit, _)| ratio <= limit).map_or("far", |(_, name)| name);
                let _ = write!(html, "<i class=\"{grade}\" style=\"width:{:.1}%\"></i>", place(*ratio));
            }
            let _ = write!(html, "<b style=\"left:{:.1}%\"></b></span>", place(1.0));
            let _ = write!(html, "<span>{}</span></div>", escape(words));
        }
        html.push_str("</figure>\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From ½ to 50 is a factor 100: 5 is half way, 1 at ln 2/ln 100, and what is beyond its floor is short.
    #[test]
    fn lengths_are_logarithms_of_ratios() {
        let bar = |ratio| Bar { name: "w1".into(), ratio, words: "< far".into() };
        let bars = Bars {
            caption: "c".into(),
            bars: [Some(5.0), Some(50.0), Some(0.1), Some(1.5), None].map(bar).into(),
        };
        let mut html = String::new();
        bars.write_html(&mut html);
        let fills: Vec<&str> =
            html.split("<i ").skip(1).map(|part| part.split('>').next().unwrap()).collect();
        assert_eq!(
            fills,
            [
                "class=\"far\" style=\"width:50.0%\"",
                "class=\"far\" style=\"width:100.0%\"",
                "class=\"reached\" style=\"width:0.0%\"",
                "class=\"reached\" style=\"width:23.9%\""
            ]
        );
        assert_eq!(html.matches("left:15.1%").count(), 5);
        assert!(html.contains("&lt; far"));
    }

    /// From ½ to 1000 is a factor 2000: 22.4 is half way, however far another has gone.
    #[test]
    fn a_run_that_has_diverged_leaves_room_for_the_others() {
        let bar = |ratio| Bar::over_floor("w1".into(), ratio, "");
        let bars = Bars { caption: "c".into(), bars: [22.4, 1e17].map(bar).into() };
        let mut html = String::new();
        bars.write_html(&mut html);
        assert!(html.contains("width:50.0%") && html.contains("width:100.0%"), "{html}");
    }

    #[test]
    fn a_ratio_of_many_digits_is_rounded() {
        let words = |ratio| Bar::over_floor("w1".into(), ratio, "3.00").words;
        assert_eq!(
            [1.26, 99.0, 456.7, 9_111_906_142.3].map(words),
            ["1.3 × floor: 3.00", "99.0 × floor: 3.00", "457 × floor: 3.00", "9.11e9 × floor: 3.00"]
        );
    }
}
