//! The report of a sweep: what each setting does to the measures.

use super::curves::ROUNDING;
use super::provenance;
use crate::manifest::Manifest;
use eval::Summary;
use eval::report::{
    Bar, Bars, Block, Figure, HeatCell, HeatMap, LevelSeries, Levels, Page, Scale, Section, Table,
};
use eval::results::{Results, Row, Setting, Settings, Status, over_seeds};
use eval::summary::significant;
use metrics::{
    ACCURACY_ALL, BEYOND_REACH, CLASS_ENTROPY, CONDITIONAL_W2_SQUARED, COSINE, CRITIC_SLOPE_MAX,
    FRECHET_DISTANCE, HELD_OUT_W2, KINETIC_ENERGY, L2_UVP, MODES_COVERED, Metric, OFF_MANIFOLD_RMS,
    OPTIMAL_SHARE, PRECISION, RECALL, STEP_INVARIANCE, STRAIGHTNESS, STRAY_SHARE, TAIL_L1, W1_ERROR, W2,
    W2_EVEN, W2_SQUARED, W2_SQUARED_ONE_STEP,
};

/// What is drawn, where the rows have it.
const DRAWN: &[&Metric] = &[
    W2_SQUARED,
    W2_SQUARED_ONE_STEP,
    OFF_MANIFOLD_RMS,
    STRAY_SHARE,
    STRAIGHTNESS,
    STEP_INVARIANCE,
    CRITIC_SLOPE_MAX,
    KINETIC_ENERGY,
    OPTIMAL_SHARE,
    CONDITIONAL_W2_SQUARED,
    TAIL_L1,
    HELD_OUT_W2,
    L2_UVP,
    COSINE,
    W1_ERROR,
    FRECHET_DISTANCE,
    CLASS_ENTROPY,
    PRECISION,
    RECALL,
    W2_EVEN,
    W2,
    MODES_COVERED,
    ACCURACY_ALL,
];

/// Most points whose distances are shown as bars: more are not taken in at a glance.
const MOST_BARS: usize = 40;
/// Points beyond reach that are outliers: more of them, and a cell is framed.
const FEW: f64 = 0.05;

/// The report of a sweep.
pub(crate) fn sweep(results: &Results, title: &str, tables: Vec<Table>, manifest: &Manifest) -> Page {
    let finite = results.rows.iter().filter(|row| row.status == Status::Ok).count();
    let facets = facets(results);
    let bars: Vec<Block> = facets.iter().filter_map(|facet| facet.bars(results)).map(Block::Bars).collect();
    let mut sections = Vec::new();
    if !bars.is_empty() {
        sections.push(Section { heading: "At a glance".into(), blocks: bars, ..Section::default() });
    }
    for facet in facets {
        let figures = facet.share().into_iter().chain(DRAWN.iter().flat_map(|metric| facet.figures(metric)));
        let (maps, curves): (Vec<Figure>, Vec<Figure>) =
            figures.partition(|figure| matches!(figure, Figure::HeatMap(_)));
        let blocks: Vec<Block> =
            [maps, curves].into_iter().filter(|figures| !figures.is_empty()).map(Block::Figures).collect();
        if !blocks.is_empty() {
            sections.push(Section { heading: facet.name.clone(), blocks, ..Section::default() });
        }
    }
    let tables = tables.into_iter().map(Block::Table).collect();
    sections.push(Section { heading: "Table".into(), blocks: tables, ..Section::default() });
    sections.push(provenance(manifest));
    let runs = results.rows.len();
    Page {
        refresh: None,
        title: title.into(),
        status: format!("preset {}: {finite} of {runs} runs stayed finite", results.preset),
        sections,
    }
}

/// Rows that differ in the first two settings and in their seeds only.
struct Facet<'a> {
    name: String,
    /// Their target and their other settings.
    rest: (&'a str, usize, Vec<(&'a str, &'a Setting)>),
    rows: Vec<&'a Row>,
    /// The first key with its values, and the second.
    x: (&'a str, Vec<&'a Setting>),
    y: Option<(&'a str, Vec<&'a Setting>)>,
}

fn facets(results: &Results) -> Vec<Facet<'_>> {
    let mut facets: Vec<Facet<'_>> = Vec::new();
    for row in &results.rows {
        let mut settings = row.settings.iter();
        let (Some((x, _)), y) = (settings.next(), settings.next()) else { continue };
        let rest = (row.dataset.as_str(), row.dim, settings.collect::<Vec<_>>());
        if let Some(facet) = facets.iter_mut().find(|facet| facet.rest == rest) {
            facet.rows.push(row);
            continue;
        }
        let others: Vec<String> = rest.2.iter().map(|(key, value)| format!(", {key} = {value}")).collect();
        facets.push(Facet {
            name: format!("{} {}D{}", row.dataset, row.dim, others.concat()),
            rest,
            rows: vec![row],
            x: (x, Vec::new()),
            y: y.map(|(key, _)| (key, Vec::new())),
        });
    }
    for facet in &mut facets {
        facet.x.1 = values(&facet.rows, facet.x.0);
        if let Some((key, known)) = &mut facet.y {
            *known = values(&facet.rows, key);
        }
    }
    facets
}

/// The values of a key in the order of their first appearance.
fn values<'a>(rows: &[&'a Row], key: &str) -> Vec<&'a Setting> {
    let mut values: Vec<&Setting> = Vec::new();
    for value in rows.iter().filter_map(|row| row.settings.get(key)) {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

/// The runs of one point.
struct Cell<'a>(Vec<&'a Row>);

impl Cell<'_> {
    fn finite(&self) -> usize {
        self.0.iter().filter(|row| row.status == Status::Ok).count()
    }

    fn heat(&self, metric: &Metric) -> HeatCell {
        let summary = over_seeds(&self.0, metric);
        let mut lines = vec![summary.map_or("–".into(), |summary| significant(summary.mean))];
        lines.extend(summary.and_then(|summary| summary.sd).map(|sd| format!("± {}", significant(sd))));
        if self.finite() < self.0.len() {
            lines.push(format!("{} of {} finite", self.finite(), self.0.len()));
        }
        HeatCell { value: summary.map(|summary| summary.mean), lines, framed: self.is_beyond() }
    }

    fn is_beyond(&self) -> bool {
        over_seeds(&self.0, BEYOND_REACH).is_some_and(|share| share.mean > FEW)
    }
}

impl<'a> Facet<'a> {
    fn cell(&self, x: &Setting, y: Option<(&str, &Setting)>) -> Cell<'a> {
        let has = |settings: &Settings, key: &str, value: &Setting| settings.get(key) == Some(value);
        let here = |row: &&&Row| {
            has(&row.settings, self.x.0, x) && y.is_none_or(|(key, value)| has(&row.settings, key, value))
        };
        Cell(self.rows.iter().filter(here).copied().collect())
    }

    /// The distance of each point over the floor of its target.
    fn bars(&self, results: &Results) -> Option<Bars> {
        let (dataset, dim, _) = self.rest;
        let floor = results.floors.iter().find(|floor| floor.dataset == dataset && floor.dim == dim)?;
        let nothing = vec![None];
        let second = self.y.as_ref().map(|(key, values)| values.iter().map(|y| Some((*key, *y))).collect());
        let second: Vec<Option<(&str, &Setting)>> = second.unwrap_or(nothing);
        let metric = [FRECHET_DISTANCE, W2_SQUARED, W2].into_iter().find(|metric| {
            let floor = floor.metrics.get(metric);
            floor.is_some_and(|floor| floor > 0.0)
                && self.rows.iter().any(|row| row.metrics.get(metric).is_some())
        })?;
        let least = floor.metrics.get(metric)?;
        let points: Vec<_> = self.x.1.iter().flat_map(|x| second.iter().map(move |y| (*x, *y))).collect();
        if points.len() > MOST_BARS {
            return None;
        }
        let bar = |(x, y): (&Setting, Option<(&str, &Setting)>)| {
            let cell = self.cell(x, y);
            let second = y.map(|(key, value)| format!(", {key} = {value}")).unwrap_or_default();
            let name = format!("{} = {x}{second}", self.x.0);
            let lost = cell.0.len() - cell.finite();
            let lost =
                if lost == 0 { String::new() } else { format!("; {lost} of {} diverged", cell.0.len()) };
            match over_seeds(&cell.0, metric) {
                Some(summary) => Bar::over_floor(name, summary.mean / least, &format!("{summary}{lost}")),
                None => Bar { name, ratio: None, words: format!("no number{lost}") },
            }
        };
        let caption = format!(
            "{}: `{metric}` over its floor, the same distance between two samples of the target: the line. Lengths are \
             logarithms.",
            self.name
        );
        Some(Bars { caption, bars: points.into_iter().map(bar).collect() })
    }

    /// The share of the runs that stayed finite, where that is not all of them.
    fn share(&self) -> Option<Figure> {
        let share = |cell: &Cell<'_>| cell.finite() as f64 / cell.0.len().max(1) as f64;
        if self.rows.iter().all(|row| row.status == Status::Ok) {
            return None;
        }
        let caption = "Share of the runs that stayed finite";
        Some(match &self.y {
            Some(y) => {
                let cell = |cell: &Cell<'_>| {
                    let lines = vec![format!("{} of {}", cell.finite(), cell.0.len())];
                    HeatCell { value: Some(share(cell)), lines, framed: cell.is_beyond() }
                };
                self.map(caption.into(), Scale::Linear, y, cell)
            }
            None => {
                let points = self.x.1.iter().map(|x| Summary::of(&[share(&self.cell(x, None))])).collect();
                let series = vec![LevelSeries { name: "finite".into(), points }];
                self.levels(caption.into(), Scale::Linear, series)
            }
        })
    }

    /// A metric over both settings, as a map and as curves; nothing where no row has it.
    fn figures(&self, metric: &Metric) -> Vec<Figure> {
        let means: Vec<f64> = self.rows.iter().filter_map(|row| row.metrics.get(metric)).collect();
        // What is 0 by rounding says nothing of the settings.
        if means.iter().all(|mean| mean.abs() < ROUNDING) {
            return Vec::new();
        }
        // What spans more than a factor of five is seen better by its ratios.
        let (low, high) =
            means.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), &x| (low.min(x), high.max(x)));
        let scale = if low > 0.0 && high > 5.0 * low { Scale::Logarithmic } else { Scale::Linear };
        let over = if self.rows.windows(2).any(|two| matches!(two, [a, b] if a.seed != b.seed)) {
            ", mean ± sd over the seeds"
        } else {
            ""
        };
        let one = |name: String, y: Option<(&str, &Setting)>| LevelSeries {
            name,
            points: self.x.1.iter().map(|x| over_seeds(&self.cell(x, y).0, metric)).collect(),
        };
        let Some(y) = &self.y else {
            return vec![self.levels(format!("{metric}{over}"), scale, vec![one(metric.name.into(), None)])];
        };
        let series = y.1.iter().map(|value| one(format!("{} = {value}", y.0), Some((y.0, value)))).collect();
        let beyond =
            y.1.iter().any(|value| self.x.1.iter().any(|x| self.cell(x, Some((y.0, value))).is_beyond()));
        let frames = if beyond {
            "; in a red frame more than 5 % of the points have to travel farther than R = L·T/λ"
        } else {
            ""
        };
        vec![
            self.map(format!("{metric}{over}{frames}"), scale, y, |cell| cell.heat(metric)),
            self.levels(format!("{metric}{over}"), scale, series),
        ]
    }

    fn map(
        &self,
        caption: String,
        scale: Scale,
        (key, values): &(&'a str, Vec<&'a Setting>),
        cell: impl Fn(&Cell<'_>) -> HeatCell,
    ) -> Figure {
        let row = |x: &&Setting| values.iter().map(|y| cell(&self.cell(x, Some((key, y))))).collect();
        Figure::HeatMap(HeatMap {
            caption,
            columns: ((*key).into(), values.iter().map(ToString::to_string).collect()),
            rows: (self.x.0.into(), self.x.1.iter().map(ToString::to_string).collect()),
            scale,
            cells: self.x.1.iter().map(row).collect(),
        })
    }

    fn levels(&self, caption: String, scale: Scale, series: Vec<LevelSeries>) -> Figure {
        Figure::Levels(Levels {
            caption,
            x_label: self.x.0.into(),
            values: self.x.1.iter().map(ToString::to_string).collect(),
            scale,
            series,
        })
    }
}
