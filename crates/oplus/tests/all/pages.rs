//! Reports as a browser lays them out: wide and narrow, light and dark.

use crate::common::Workshop;
use serde_json::Value;
use std::fs;
use std::process::Command;

/// Programs that are headless Chromium.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// Lays each page out in a frame of each width in each scheme, and writes what it finds into the document.
const LOOK: &str = r#"
const found = [];
let open = PAGES.length * WIDTHS.length * SCHEMES.length;
for (const [name, html] of PAGES) for (const width of WIDTHS) for (const scheme of SCHEMES) {
  const frame = document.createElement("iframe");
  frame.style.width = width + "px";
  frame.style.height = "3000px";
  frame.style.border = 0;
  frame.onload = () => {
    const page = frame.contentDocument;
    const style = element => frame.contentWindow.getComputedStyle(element);
    const schemes = style(page.documentElement).colorScheme;
    page.documentElement.style.colorScheme = scheme;
    page.querySelectorAll("details").forEach(details => details.open = true);
    const figures = [...page.querySelectorAll("figure > svg")];
    const marks = svg => [...svg.querySelectorAll("path, rect:not([fill-opacity])")].map(mark => mark.getBoundingClientRect());
    const empty = svg => svg.getBoundingClientRect().width < 80 || !marks(svg).some(box => box.width + box.height > 2);
    const letters = [...page.querySelectorAll("svg text")].map(text => text.getBoundingClientRect().height);
    found.push({
      name, width, scheme, schemes,
      overflow: page.documentElement.scrollWidth - page.documentElement.clientWidth,
      figures: figures.length,
      empty: figures.filter(empty).length,
      smallest: Math.min(100, ...letters.filter(height => height > 0)),
      paper: style(page.body).backgroundColor,
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

/// What a browser finds in pages, by name and HTML: it is started once, for that takes longer than to look.
fn look(workshop: &Workshop, browser: &str, pages: &[(&str, String)]) -> Vec<Value> {
    // A script that ends in the middle of a string would end there.
    let pages = serde_json::to_string(pages).unwrap().replace("</", "<\\/");
    let html = format!(
        "<!DOCTYPE html><meta charset=\"utf-8\"><body><script>const PAGES = {pages}; const WIDTHS = [1280, 400]; \
         const SCHEMES = [\"light\", \"dark\"];{LOOK}</script>"
    );
    let file = workshop.path("look.html");
    fs::write(&file, html).unwrap();
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", workshop.path("profile").display()))
        .arg(format!("file://{}", file.display()))
        .output()
        .unwrap();
    let dom = String::from_utf8(output.stdout).unwrap();
    let found = dom.split("FOUND").nth(1).and_then(|rest| rest.split("END").next());
    let found = found.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(&found.replace("&amp;", "&")).unwrap()
}

/// Puts what a browser is to see wrong at the end of a page.
const WRONG: &str =
    "<div style=\"width:2000px\">x</div><figure><svg width=\"9\" height=\"9\"></svg></figure>";

/// The pages of a flow, of one that is not finished, of a generator, of experiments with each, of a sweep, and of runs of
/// both kinds side by side.
#[test]
fn pages_fit_the_screen_and_no_figure_is_empty() {
    let Some(browser) = browser() else {
        return say::note!("skipped: none of {} is on PATH", BROWSERS.join(", "));
    };
    let workshop = Workshop::new();
    let run = |arguments: &[&str]| workshop.oplus(arguments).assert().success();
    workshop.train("flow", &[]);
    workshop.train("unfinished", &["--set", "flow.lambda=0.25"]);
    fs::remove_file(workshop.path("unfinished/results.json")).unwrap();
    run(&["report", "unfinished"]);
    for (name, rows) in [("table1", "explicit/pinwheel-7d"), ("ring", "methods/w2gan")] {
        run(&["reproduce", name, "--preset", "smoke", "--rows", rows, "--out", name]);
    }
    run(&["sweep", "tiny.toml", "--preset", "smoke", "--grid", "flow.lambda=0.1,0.5", "--out", "sweep"]);
    let generator = "ring/runs/methods/w2gan-s0";
    run(&["compare", "flow", "unfinished", generator, "--out", "compare.html"]);
    let report = |folder: &str| format!("{folder}/report.html");
    let files = ["flow", "unfinished", "table1", "ring", generator, "sweep"].map(report);
    let files = files.iter().map(String::as_str).chain(["compare.html"]);
    let mut pages: Vec<(&str, String)> =
        files.map(|file| (file, fs::read_to_string(workshop.path(file)).unwrap())).collect();
    // No two of them are told apart by their folder only.
    let mut titles: Vec<&str> = pages.iter().map(|(_, page)| page.split("title>").nth(1).unwrap()).collect();
    titles.sort_unstable();
    titles.dedup();
    assert_eq!(titles.len(), pages.len(), "{titles:?}");
    let wrong = format!("{}{WRONG}", pages[0].1);
    pages.push(("wrong", wrong));
    let found = look(&workshop, browser, &pages);
    assert_eq!(found.len(), 4 * pages.len());
    for page in found {
        let (overflow, empty) = (page["overflow"].as_f64().unwrap(), page["empty"].as_u64().unwrap());
        if page["name"] == "wrong" {
            assert!(overflow > 0.0 && empty == 1, "the browser does not see what is wrong: {page}");
            continue;
        }
        assert!(overflow <= 0.0, "sideways scrolling: {page}");
        assert!(page["figures"].as_u64().unwrap() >= 1 && empty == 0, "an empty figure: {page}");
        // Letters of 13 pixels of the drawing have lines of 15; on the narrow screen it is shown at 0.8 of its size.
        assert!(page["smallest"].as_f64().unwrap() >= 10.0, "small letters: {page}");
        // The reader's setting decides, and both have their paper.
        assert_eq!(page["schemes"], "light dark", "{page}");
        let paper = if page["scheme"] == "light" { "rgb(255, 255, 255)" } else { "rgb(21, 24, 28)" };
        assert_eq!(page["paper"], paper, "{page}");
    }
}
