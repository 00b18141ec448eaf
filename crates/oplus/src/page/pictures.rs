//! Pictures of samples: clouds in a plane, images, particles on their way.

use crate::gallery;
use crate::kinds::{DIRECTION, dataset};
use crate::samples::{self, CRITIC, GENERATED, LABELS, PATHS, POTENTIAL, STARTS, TARGETS};
use anyhow::Result;
use eval::planar::{Plane, image_size};
use eval::report::{Cloud, Contours, Figure, Images, Paths, Raster, Scatter};
use eval::results::{Results, Row};
use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use std::path::{Path, PathBuf};
use train::Model;

/// Points of a cloud in a figure.
const DRAWN_POINTS: usize = 2000;
/// Points of a cloud in one of many small pictures.
const FEW_POINTS: usize = 500;
/// Points of a cloud in a picture of the particles at one time.
const DRAWN_PARTICLES: usize = 512;
/// Images in a line and lines of images.
const DRAWN_IMAGES: (usize, usize) = (10, 4);
/// Digits above what they were mapped to.
const DRAWN_DIGITS: usize = 20;
/// What is said of them.
const MAPPED: &str = "Source digits, and below what they are mapped to";
/// The width and height of a digit.
const DIGIT: (usize, usize) = (16, 16);

/// The samples of a run beside its data; none where they are not kept.
pub(super) fn samples(folder: &Path, row: &Row) -> Result<Vec<Figure>> {
    if row.samples.is_none() || !folder.join(GENERATED).is_file() {
        return Ok(Vec::new());
    }
    let generated = read(folder, GENERATED)?;
    if row.dataset.contains(DIRECTION) {
        return Ok(vec![mapped_digits(&read(folder, STARTS)?, &generated, MAPPED.into())]);
    }
    let drawn = rasters(folder)?;
    if !drawn.is_empty() {
        return Ok(drawn);
    }
    let data = read(folder, TARGETS)?;
    if folder.join(LABELS).is_file() && image_size(data.view()).is_none() {
        return Ok(by_label(&data, &generated, &read(folder, LABELS)?));
    }
    Ok(views(&data, &generated))
}

/// Generated points over data in each plane in which the data are looked at, those of each label in a colour.
fn by_label(data: &Array2<f64>, generated: &Array2<f64>, labels: &Array2<f64>) -> Vec<Figure> {
    let mut classes: Vec<f64> = labels.iter().copied().collect();
    classes.sort_by(f64::total_cmp);
    classes.dedup();
    let figure = |plane: &Plane| {
        let of = |&class: &f64| {
            let drawn = labels.iter().zip(generated.rows()).take(DRAWN_POINTS).enumerate();
            let rows = drawn.filter(|(_, (label, _))| **label == class).map(|(row, _)| row);
            let points = generated.select(Axis(0), &rows.collect::<Vec<_>>());
            Cloud { name: format!("label {class}"), points: plane.project(points.view()) }
        };
        let reference = Cloud { name: "data".into(), points: plane.project(head(data, DRAWN_POINTS)) };
        let clouds = std::iter::once(reference).chain(classes.iter().map(of)).collect();
        let caption = format!("Generated points by label, over data: {}.", plane.name);
        Figure::Scatter(Scatter { caption, clouds, bare: false })
    };
    Plane::of(data.view()).iter().map(figure).collect()
}

/// What a model generates now: `count` points beside data; nothing of a critic, which generates none.
pub(crate) fn now(model: &Model, data: &Array2<f64>, count: usize) -> Result<Vec<Figure>> {
    if matches!(model, Model::Critic(_)) {
        return Ok(Vec::new());
    }
    let config = model.config();
    let seed = config.seed();
    if dataset(&config).contains(DIRECTION) {
        let starts = model.initial(DRAWN_DIGITS, seed)?;
        return Ok(vec![mapped_digits(&starts, &model.push_forward(starts.view(), seed)?, MAPPED.into())]);
    }
    let samples = model.sample(count, seed)?;
    Ok(views(
        data,
        &match model {
            Model::Flow(flow) => flow.coordinates(samples.view()).to_owned(),
            Model::Generator(_) | Model::Critic(_) => samples,
        },
    ))
}

/// Generated points beside data: images where the data are, else over each other in each plane in which the data are looked
/// at.
fn views(data: &Array2<f64>, generated: &Array2<f64>) -> Vec<Figure> {
    if let Some(size) = image_size(data.view()) {
        return images(size, data, generated);
    }
    let figure = |plane: &Plane| {
        let caption = format!("Generated points over data: {}.", plane.name);
        over(plane, (data, generated), DRAWN_POINTS, caption)
    };
    Plane::of(data.view()).iter().map(figure).collect()
}

/// Generated points over data in a plane.
fn over(
    plane: &Plane,
    (data, generated): (&Array2<f64>, &Array2<f64>),
    count: usize,
    caption: String,
) -> Figure {
    let cloud = |name: &str, points: &Array2<f64>| Cloud {
        name: name.into(),
        points: plane.project(head(points, count)),
    };
    let clouds = vec![cloud("data", data), cloud("generated", generated)];
    Figure::Scatter(Scatter { caption, clouds, bare: count <= FEW_POINTS })
}

/// The samples of runs to one target, each by its folder, its row and its name, in small pictures over the data of the
/// first, whose scale is that of all.
pub(super) fn beside(runs: &[(&Path, &Row, &str)]) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let mut data: Option<Array2<f64>> = None;
    for (folder, row, name) in runs {
        if row.samples.is_none() || !folder.join(GENERATED).is_file() {
            continue;
        }
        let (generated, caption) = (read(folder, GENERATED)?, format!("`{name}`"));
        if row.dataset.contains(DIRECTION) {
            figures.push(mapped_digits(&read(folder, STARTS)?, &generated, caption));
            continue;
        }
        let data = match &data {
            Some(data) => data,
            None => data.insert(read(folder, TARGETS)?),
        };
        match image_size(data.view()) {
            Some(size) => figures.push(grid(size, grey_range(data), &generated, caption)),
            None => {
                let planes = Plane::of(data.view());
                figures
                    .extend(planes.first().map(|plane| over(plane, (data, &generated), FEW_POINTS, caption)));
            }
        }
    }
    Ok(figures)
}

/// The pictures of a flow to images.
fn rasters(folder: &Path) -> Result<Vec<Figure>> {
    let figure = |(path, caption): (PathBuf, &str)| {
        Ok(Figure::Raster(Raster { caption: caption.into(), png: std::fs::read(path)? }))
    };
    gallery::there(folder).map(figure).collect()
}

/// The samples of a run over its data in a small picture without axes; its frame is that of the data.
pub(super) fn small(folder: &Path, row: &Row, caption: String) -> Result<Option<Figure>> {
    if row.samples.is_none() || !folder.join(GENERATED).is_file() {
        return Ok(None);
    }
    if row.dataset.contains(DIRECTION) {
        return Ok(Some(mapped_digits(&read(folder, STARTS)?, &read(folder, GENERATED)?, caption)));
    }
    if let Some(Figure::Raster(samples)) = rasters(folder)?.into_iter().next() {
        return Ok(Some(Figure::Raster(Raster { caption, ..samples })));
    }
    let (data, generated) = (read(folder, TARGETS)?, read(folder, GENERATED)?);
    let planes = Plane::of(data.view());
    Ok(planes.first().map(|plane| over(plane, (&data, &generated), FEW_POINTS, caption)))
}

/// The potential at time 0 and the critic over the data, where they were kept: of flows in two dimensions.
pub(super) fn levels(folder: &Path) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (file, caption) in [
        (POTENTIAL, "The potential U(x, 0): particles go down, across its lines."),
        (CRITIC, "The critic φ: high where the flow has too many particles, low where it has too few."),
    ] {
        if !folder.join(file).is_file() {
            continue;
        }
        let (points, targets) = (read(folder, file)?, read(folder, TARGETS)?);
        let Some(plane) = Plane::of(targets.view()).into_iter().next() else { continue };
        let column = |index: usize| points.column(index).to_vec();
        let side = points.nrows().isqrt();
        if points.ncols() < 3 || side == 0 {
            continue;
        }
        let range = |x: Vec<f64>| (x.first().copied().unwrap_or(0.0), x.last().copied().unwrap_or(0.0));
        figures.push(Figure::Contours(Contours {
            caption: caption.into(),
            x: range(column(0)),
            y: range(column(1)),
            values: column(2).chunks(side).map(<[f64]>::to_vec).collect(),
            name: "data".into(),
            cloud: plane.project(head(&targets, FEW_POINTS)),
        }));
    }
    Ok(figures)
}

/// Particles of a flow on their way; none where their paths were not kept.
///
/// In one dimension they are drawn over time, else in the plane in which the data are looked at.
pub(crate) fn paths(folder: &Path, results: &Results) -> Result<Option<Figure>> {
    let (file, row) = (folder.join(PATHS), results.rows.first());
    let Some(row) = row.filter(|_| file.is_file()) else { return Ok(None) };
    let positions = datasets::read_matrix(file)?;
    let at = |path: ArrayView1<'_, f64>| -> Vec<(f64, f64)> {
        let path = path.to_vec();
        if row.dim == 1 {
            let last = path.len().saturating_sub(1).max(1) as f64;
            return path.iter().enumerate().map(|(i, &x)| (i as f64 / last, x)).collect();
        }
        path.chunks_exact(2).filter_map(|x| Some((*x.first()?, *x.get(1)?))).collect()
    };
    let paths = positions.rows().into_iter().map(at).collect();
    let targets = read(folder, TARGETS)?;
    let (data, caption) = match Plane::of(targets.view()).first() {
        Some(plane) if row.dim > 1 => {
            let caption = format!("Particles on their way from x₀ to x_T: {}.", plane.name);
            (plane.project(head(&targets, DRAWN_POINTS)), caption)
        }
        _ => (Vec::new(), "Particles on their way from x₀ to x_T, over t/T.".to_owned()),
    };
    Ok(Some(Figure::Paths(Paths { caption, data, paths })))
}

/// The particles of a generator at several times over the data.
pub(super) fn particles(folder: &Path) -> Result<Vec<Figure>> {
    if !folder.join(TARGETS).is_file() {
        return Ok(Vec::new());
    }
    let targets = read(folder, TARGETS)?;
    let Some(plane) = Plane::of(targets.view()).into_iter().next() else { return Ok(Vec::new()) };
    let cloud = |name: &str, points: &Array2<f64>| Cloud {
        name: name.into(),
        points: plane.project(head(points, DRAWN_PARTICLES)),
    };
    let figure = |(file, iteration): (PathBuf, u64)| {
        let clouds = vec![cloud("data", &targets), cloud("particles", &datasets::read_matrix(file)?)];
        let caption = format!("after iteration {iteration}");
        Ok(Figure::Scatter(Scatter { caption, clouds, bare: true }))
    };
    samples::particles(folder).into_iter().map(figure).collect()
}

fn images(size: (usize, usize), data: &Array2<f64>, generated: &Array2<f64>) -> Vec<Figure> {
    let range = grey_range(data);
    vec![
        grid(size, range, data, "Data, as images".into()),
        grid(size, range, generated, "Generated, on the same scale of greys".into()),
    ]
}

/// What is black and what is white.
fn grey_range(data: &Array2<f64>) -> (f64, f64) {
    data.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)))
}

/// The first rows of a cloud as images in lines.
fn grid(size: (usize, usize), (low, high): (f64, f64), points: &Array2<f64>, caption: String) -> Figure {
    let (columns, lines) = DRAWN_IMAGES;
    let grey = |x: &f64| 2.0 * (x - low) / (high - low).max(f64::MIN_POSITIVE) - 1.0;
    let rows = points.rows().into_iter().take(columns * lines);
    let pictures: Vec<Vec<f64>> = rows.map(|row| row.iter().map(grey).collect()).collect();
    Figure::Images(Images { caption, size, rows: pictures.chunks(columns).map(<[_]>::to_vec).collect() })
}

fn mapped_digits(starts: &Array2<f64>, ends: &Array2<f64>, caption: String) -> Figure {
    let pictures = |points: &Array2<f64>| -> Vec<Vec<f64>> {
        points.rows().into_iter().take(DRAWN_DIGITS).map(|row| row.to_vec()).collect()
    };
    Figure::Images(Images { caption, size: DIGIT, rows: vec![pictures(starts), pictures(ends)] })
}

fn read(folder: &Path, file: &str) -> Result<Array2<f64>> {
    Ok(datasets::read_matrix(folder.join(file))?)
}

fn head(points: &Array2<f64>, count: usize) -> ArrayView2<'_, f64> {
    points.slice(ndarray::s![..count.min(points.nrows()), ..])
}
