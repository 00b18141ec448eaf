//! Reports as a browser lays them out: wide and narrow, light and dark.

use crate::common::Workshop;
use serde_json::Value;
use std::fs;
use std::process::Command;

/// Programs that are headless Chromium.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// Lays each page out in a frame of each width, and writes what it finds into the document.
const LOOK: &str = r#"
const found = [];
let open = PAGES.length * WIDTHS.length;
for (const [name, html] of PAGES) for (const width of WIDTHS) {
  const frame = document.createElement("iframe");
  frame.style.width = width + "px";
  frame.style.height = "3000px";
  frame.style.border = 0;
  frame.onload = () => {
    const page = frame.contentDocument;
    page.querySelectorAll("details").forEach(details => details.open = true);
    const figures = [...page.querySelectorAll("figure > svg")];
    const marks = svg => [...svg.querySelectorAll("path, rect:not([fill-opacity])")].map(mark => mark.getBoundingClientRect());
    const empty = svg => svg.getBoundingClientRect().width < 80 || !marks(svg).some(box => box.width + box.height > 2);
    const letters = [...page.querySelectorAll("svg text")].map(text => text.getBoundingClientRect().height);
    found.push({
      name, width,
      overflow: page.documentElement.scrollWidth - page.documentElement.clientWidth,
      figures: figures.length,
      empty: figures.filter(empty).length,
      smallest: Math.min(100, ...letters.filter(height => height > 0)),
      paper: frame.contentWindow.getComputedStyle(page.body).backgroundColor,
    });
    if (--open === 0) document.body.textContent = "FOUND" + JSON.stringify(found) + "END";
  };
  frame.srcdoc = html;
  document.body.append(frame);
}
"#;

fn browser() -> Option<&'static str> {
    let answers = |name: &&&str| {
        Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
    };
    BROWSERS.iter().find(answers).copied()
}

/// What a browser finds in pages, by name and HTML.
fn look(workshop: &Workshop, browser: &str, pages: &[(&str, String)], scheme: &str) -> Vec<Value> {
    // A script that ends in the middle of a string would end there.
    let pages = serde_json::to_string(pages).unwrap().replace("</", "<\\/");
    let html = format!(
        "<!DOCTYPE html><meta charset=\"utf-8\"><body><script>const PAGES = {pages}; const WIDTHS = [1280, 400];{LOOK}</script>"
    );
    let file = workshop.path("look.html");
    fs::write(&file, html).unwrap();
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", workshop.path("profile").display()))
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap();
    let dom = String::from_utf8(output.stdout).unwrap();
    let found = dom.split("FOUND").nth(1).and_then(|rest| rest.split("END").next());
    let found = found.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(&found.replace("&amp;", "&")).unwrap()
}

/// The page of a flow, that of a generator, and those of experiments with each.
#[test]
fn pages_fit_the_screen_and_no_figure_is_empty() {
    let Some(browser) = browser() else {
        return say::note!("skipped: none of {} is on PATH", BROWSERS.join(", "));
    };
    let workshop = Workshop::new();
    workshop.train("flow", &[]);
    let reproduce = |name: &str, rows: &str| {
        let arguments = ["reproduce", name, "--preset", "smoke", "--rows", rows, "--out", name];
        workshop.oplus(&arguments).assert().success();
    };
    reproduce("table1", "explicit/pinwheel-7d");
    reproduce("ring", "methods/w2gan");
    let files = ["flow", "table1", "ring", "ring/runs/methods/w2gan-s0"];
    let pages =
        files.map(|folder| (folder, fs::read_to_string(workshop.path(folder).join("report.html")).unwrap()));
    for (scheme, paper) in [("1", "rgb(255, 255, 255)"), ("0", "rgb(21, 24, 28)")] {
        let found = look(&workshop, browser, &pages, scheme);
        assert_eq!(found.len(), 2 * files.len());
        for page in found {
            assert!(page["overflow"].as_f64().unwrap() <= 0.0, "sideways scrolling: {page}");
            assert!(page["figures"].as_u64().unwrap() >= 1 && page["empty"] == 0, "an empty figure: {page}");
            // Letters of 13 pixels of the drawing have lines of 15; on the narrow screen it is shown at 0.8 of its size.
            assert!(page["smallest"].as_f64().unwrap() >= 10.0, "small letters: {page}");
            assert_eq!(page["paper"], paper, "{page}");
        }
    }
    // The browser sees what a page does wrong.
    let wrong = [(
        "wide",
        format!(
            "{}<div style=\"width:2000px\">x</div><figure><svg width=\"9\" height=\"9\"></svg></figure>",
            pages[0].1
        ),
    )];
    let found = look(&workshop, browser, &wrong, "1");
    assert!(
        found.iter().all(|page| page["overflow"].as_f64().unwrap() > 0.0 && page["empty"] == 1),
        "{found:?}"
    );
}
