//! Pictures of samples: clouds in a plane, images, particles on their way.

use crate::gallery;
use crate::kinds::DIRECTION;
use crate::samples::{self, GENERATED, PATHS, STARTS, TARGETS};
use anyhow::Result;
use eval::planar::{Plane, image_size};
use eval::report::{Cloud, Figure, Images, Paths, Raster, Scatter};
use eval::results::{Results, Row};
use ndarray::{Array2, ArrayView1, ArrayView2};
use std::path::{Path, PathBuf};

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
/// The width and height of a digit.
const DIGIT: (usize, usize) = (16, 16);

/// The samples of a run beside its data; none where they are not kept.
pub(super) fn samples(folder: &Path, row: &Row) -> Result<Vec<Figure>> {
    if row.samples.is_none() || !folder.join(GENERATED).is_file() {
        return Ok(Vec::new());
    }
    if row.dataset.contains(DIRECTION) {
        return Ok(vec![mapped_digits(folder, "Source digits, and below what they are mapped to".into())?]);
    }
    let (data, generated) = (read(folder, TARGETS)?, read(folder, GENERATED)?);
    let drawn = rasters(folder)?;
    if !drawn.is_empty() {
        return Ok(drawn);
    }
    if let Some(size) = image_size(data.view()) {
        return Ok(images(size, &data, &generated));
    }
    let figure = |plane: &Plane| {
        let cloud = |name: &str, points: &Array2<f64>| Cloud {
            name: name.into(),
            points: plane.project(head(points, DRAWN_POINTS)),
        };
        let clouds = vec![cloud("data", &data), cloud("generated", &generated)];
        let caption = format!("Generated points over data: {}.", plane.name);
        Figure::Scatter(Scatter { caption, clouds, bare: false })
    };
    Ok(Plane::of(data.view()).iter().map(figure).collect())
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
        return Ok(Some(mapped_digits(folder, caption)?));
    }
    if let Some(Figure::Raster(samples)) = rasters(folder)?.into_iter().next() {
        return Ok(Some(Figure::Raster(Raster { caption, ..samples })));
    }
    let (data, generated) = (read(folder, TARGETS)?, read(folder, GENERATED)?);
    let planes = Plane::of(data.view());
    Ok(planes.first().map(|plane| {
        let cloud = |name: &str, points: &Array2<f64>| Cloud {
            name: name.into(),
            points: plane.project(head(points, FEW_POINTS)),
        };
        let clouds = vec![cloud("data", &data), cloud("generated", &generated)];
        Figure::Scatter(Scatter { caption, clouds, bare: true })
    }))
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
    let (low, high) =
        data.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(*x), high.max(*x)));
    let figure = |caption: &str, points: &Array2<f64>| {
        let (columns, lines) = DRAWN_IMAGES;
        let grey = |x: &f64| 2.0 * (x - low) / (high - low).max(f64::MIN_POSITIVE) - 1.0;
        let pictures: Vec<Vec<f64>> = points
            .rows()
            .into_iter()
            .take(columns * lines)
            .map(|row| row.iter().map(grey).collect())
            .collect();
        let rows = pictures.chunks(columns).map(<[_]>::to_vec).collect();
        Figure::Images(Images { caption: caption.into(), size, rows })
    };
    vec![figure("Data, as images", data), figure("Generated, on the same scale of greys", generated)]
}

fn mapped_digits(folder: &Path, caption: String) -> Result<Figure> {
    let pictures = |file: &str| -> Result<Vec<Vec<f64>>> {
        Ok(read(folder, file)?.rows().into_iter().take(DRAWN_DIGITS).map(|row| row.to_vec()).collect())
    };
    let rows = vec![pictures(STARTS)?, pictures(GENERATED)?];
    Ok(Figure::Images(Images { caption, size: DIGIT, rows }))
}

fn read(folder: &Path, file: &str) -> Result<Array2<f64>> {
    Ok(datasets::read_matrix(folder.join(file))?)
}

fn head(points: &Array2<f64>, count: usize) -> ArrayView2<'_, f64> {
    points.slice(ndarray::s![..count.min(points.nrows()), ..])
}
