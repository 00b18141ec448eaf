//! The one place that multiplies matrices: row-major slices in, [`gemm`] underneath.

use crate::real::Real;

/// A row-major matrix in a slice, read as it is or transposed.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a, T> {
    data: &'a [T],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, T: Real> Matrix<'a, T> {
    /// `rows × columns` at the start of `data`; consecutive rows lie `columns` apart.
    pub(crate) fn new(data: &'a [T], rows: usize, columns: usize) -> Self {
        assert!(data.len() >= rows * columns, "matrix storage is too short");
        Self { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// The transpose, without moving anything.
    pub(crate) fn t(self) -> Self {
        Self {
            data: self.data,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }
}

/// out ← a·b + keep·out, with `out` row-major.
pub(crate) fn multiply<T: Real>(out: &mut [T], keep: bool, a: Matrix<'_, T>, b: Matrix<'_, T>) {
    assert_eq!(a.columns, b.rows, "inner dimensions differ");
    assert!(out.len() >= a.rows * b.columns, "output storage is too short");
    // SAFETY: both operands hold rows·columns entries under their strides (`Matrix::new` checked it, `t` only
    // swaps), the output was checked above, and `out` is borrowed exclusively, so nothing overlaps.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out.as_mut_ptr(),
            1,
            b.columns as isize,
            keep,
            a.data.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            T::one(),
            T::one(),
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
