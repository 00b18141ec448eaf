//! Our side of a comparison: `training_iteration SIZE DIM FOLDER` writes the problem to FOLDER and then answers each
//! line of its input with one line of JSON.
//!
//! | line | answer |
//! | --- | --- |
//! | a number n | `{"losses": [...], "seconds": s}`: n iterations, the losses of the last one, the whole time |
//! | `peak` | `{"operations_per_second": r}`: the rate of a large matrix product, now |
//! | `width` | `{"vector_bits": b}`: the width of the vector registers that it can use |

use anyhow::{Context, Result};
use oplus_benches::iteration::{Iteration, Size};
use oplus_benches::peak::matrix_product_rate;
use std::io::{Write, stdin, stdout};
use std::path::Path;
use std::time::Instant;

fn main() -> Result<()> {
    let usage = "usage: training_iteration SIZE DIM FOLDER";
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().context(usage);
    let (size, dim, folder) = (Size::named(&next()?)?, next()?.parse().context(usage)?, next()?);
    let mut iteration = Iteration::new(size, dim)?;
    iteration.export(size, dim, Path::new(&folder))?;
    for line in stdin().lines() {
        let line = line?;
        let answer = match line.trim() {
            "peak" => serde_json::json!({ "operations_per_second": matrix_product_rate() }),
            "width" => serde_json::json!({ "vector_bits": simd::Width::in_use()?.bits() }),
            number => {
                let count: usize = number.parse().with_context(|| format!("not a number: {line:?}"))?;
                let start = Instant::now();
                let mut losses = Vec::new();
                for _ in 0..count {
                    losses = iteration.run()?;
                }
                serde_json::json!({ "losses": losses, "seconds": start.elapsed().as_secs_f64() })
            }
        };
        writeln!(stdout(), "{answer}")?;
    }
    Ok(())
}
