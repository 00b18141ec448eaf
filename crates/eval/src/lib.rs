//! Measures a trained flow: distances between clouds, off-manifold error, floors, and the report.
