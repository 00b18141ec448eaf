//! How much memory this process has taken.

const MIB: f64 = 1024.0;

/// The most resident memory so far, in MiB; none where the system does not tell.
pub(crate) fn peak() -> Option<f64> {
    peak_of(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// The line `VmHWM:  1234 kB` of proc(5).
fn peak_of(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes / MIB)
}

#[cfg(test)]
mod tests {
    use super::{peak, peak_of};

    #[test]
    fn the_peak_is_read_in_mebibytes() {
        assert_eq!(peak_of("VmPeak:\t 9 kB\nVmHWM:\t    3072 kB\nVmRSS:\t 1 kB\n"), Some(3.0));
        assert_eq!(peak_of("VmHWM: many\n"), None);
    }

    /// 64 MiB that are written to are resident.
    #[test]
    fn what_is_written_to_counts() {
        let Some(before) = peak() else { return say::note!("skipped: this system tells no peak of memory") };
        let block = std::hint::black_box(vec![1u8; 64 << 20]);
        assert!(peak().unwrap() >= before.max(64.0), "{before}");
        drop(block);
    }
}
