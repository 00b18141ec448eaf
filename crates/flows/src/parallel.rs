//! Work that is divided among threads where that pays.

use simd::Vectorised;

/// Products of two numbers, some tenths of a millisecond of them, below which waking a thread and the way of the data to
/// its core take as long as they save.
const SMALLEST: usize = 3 << 23;

/// Products of two numbers that take as long as reading a number from memory and writing it again.
pub const PASS: usize = 32;

/// Runs the works, which take about as long as `products` products of two numbers inside matrices, on several threads
/// where that pays.
///
/// The calling thread does its share itself, next to its data, while the others are woken. Which thread does what changes
/// no result: works are cut by their caller, and share nothing.
///
/// ```
/// use simd::{Instructions, Vectorised};
///
/// struct Fill<'a>(&'a mut [f32]);
///
/// impl Vectorised for Fill<'_> {
///     type Output = ();
///     #[inline(always)]
///     fn run<I: Instructions>(self, _: I) {
///         self.0.fill(1.0);
///     }
/// }
///
/// let mut numbers = vec![0.0; 100];
/// flows::parallel::run(100, numbers.chunks_mut(30).map(Fill).collect());
/// assert_eq!(numbers, [1.0; 100]);
/// ```
pub fn run<W: Vectorised<Output = ()> + Send>(products: usize, works: Vec<W>) {
    let threads = if products < SMALLEST { 1 } else { rayon::current_num_threads() };
    let share = works.len().div_ceil(threads);
    let mut works = works.into_iter();
    let own: Vec<W> = works.by_ref().take(share).collect();
    let run = |works: Vec<W>| works.into_iter().for_each(simd::run);
    if works.len() == 0 {
        return run(own);
    }
    rayon::in_place_scope(|scope| {
        while works.len() > 0 {
            let others: Vec<W> = works.by_ref().take(share).collect();
            scope.spawn(move |_| run(others));
        }
        run(own);
    });
}
