//! Memory that begins where a cache line does.

use crate::real::Real;
use std::ops::{Deref, DerefMut};

/// Numbers in memory that begins at a cache line, so that rows of registers do not lie across two of them; otherwise a
/// vector.
#[derive(Debug, Clone, Default)]
pub(crate) struct Buffer<T> {
    lines: Vec<Line<T>>,
    length: usize,
}

/// One cache line of single precision, two of double precision.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
struct Line<T>([T; NUMBERS]);

const NUMBERS: usize = 16;

impl<T: Real> Buffer<T> {
    /// Nothing.
    pub(crate) fn new() -> Self {
        Self { lines: Vec::new(), length: 0 }
    }

    /// As many numbers; those that are new are `value`.
    pub(crate) fn resize(&mut self, length: usize, value: T) {
        let before = self.length.min(length);
        self.lines.resize(length.div_ceil(NUMBERS), Line([value; NUMBERS]));
        self.length = length;
        let (_, new) = self.split_at_mut(before);
        new.fill(value);
    }

    /// Forgets the numbers and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.lines.clear();
        self.length = 0;
    }
}

impl<T> Deref for Buffer<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        const { assert!(size_of::<Line<T>>() == NUMBERS * size_of::<T>(), "lines have no gaps") }
        // SAFETY: the lines hold `length` numbers or more, one after the other.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.length) }
    }
}

impl<T> DerefMut for Buffer<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        const { assert!(size_of::<Line<T>>() == NUMBERS * size_of::<T>(), "lines have no gaps") }
        // SAFETY: the lines hold `length` numbers or more, one after the other.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.length) }
    }
}

#[cfg(test)]
mod tests {
    use super::Buffer;

    #[test]
    fn a_buffer_begins_at_a_cache_line_and_keeps_what_it_held() {
        let mut buffer = Buffer::<f32>::new();
        for length in [3, 40, 17, 18, 0, 5] {
            let before = buffer.to_vec();
            buffer.resize(length, length as f32);
            assert_eq!(buffer.len(), length);
            assert_eq!(buffer.as_ptr().align_offset(64), 0);
            for (i, &number) in buffer.iter().enumerate() {
                assert_eq!(number, before.get(i).copied().unwrap_or(length as f32));
            }
        }
        buffer.clear();
        assert!(buffer.is_empty());
    }
}
