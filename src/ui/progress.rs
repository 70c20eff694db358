//! Progress lines on stderr; hidden if stderr is no terminal.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{BinaryBytes, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::model::one_line;

/// Interval at which the spinner moves.
const TICK_INTERVAL: Duration = Duration::from_millis(120);

/// A progress line. Removed from the screen when dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Bytes that were present when it began, which do not count for the rate.
    present: Arc<AtomicU64>,
}

impl Progress {
    /// Creates a byte counter of unknown length: `⠋ packing the code 1.2 MiB (3.4 MiB/s)`.
    pub(super) fn of_bytes(title: &str, visible: bool) -> Self {
        Self::new(title, "{spinner} {msg} {binary_bytes} ({binary_bytes_per_sec})", visible)
    }

    /// Creates a wait: `⠋ Training 45s`.
    pub(super) fn of_time(title: &str, visible: bool) -> Self {
        Self::new(title, "{spinner} {msg} {elapsed}", visible)
    }

    /// Creates a download bar: `⠋ model ━━━╸    1.2 MiB/3.4 MiB (5.6 MiB/s, 3s left) 4 MiB unpacked`.
    pub(super) fn of_download(visible: bool) -> Self {
        let progress = Self::new("", "{spinner} {msg}", visible);
        let style = ProgressStyle::with_template(
            "{spinner} {msg} {wide_bar} {binary_bytes}/{binary_total_bytes}{pace} {prefix}",
        );
        if let Ok(style) = style {
            let present = progress.present.clone();
            let rate = move |state: &ProgressState, to: &mut dyn Write| {
                let _always = write!(to, "{}", rate(state, present.load(Ordering::Relaxed)));
            };
            progress.bar.set_style(style.progress_chars("━╸ ").with_key("pace", rate));
        }
        progress
    }

    fn new(title: &str, template: &str, visible: bool) -> Self {
        let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target).with_message(one_line(title));
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        if visible {
            bar.enable_steady_tick(TICK_INTERVAL);
        }
        Self { bar, present: Arc::default() }
    }

    /// Hides the line while `print` runs.
    pub(crate) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    /// Advances a step with this title, and restarts the counter if the title is new.
    pub(crate) fn advance_in(&self, title: &str, by: u64) {
        let title = one_line(title);
        if self.bar.message() != title {
            self.bar.set_message(title);
            self.bar.reset();
        }
        self.bar.inc(by);
    }

    /// Begins an item of known size, of which `present` bytes are fetched already.
    pub(crate) fn begin(&self, title: &str, size: u64, present: u64) {
        self.bar.set_message(one_line(title));
        self.bar.set_length(size);
        self.present.store(present, Ordering::Relaxed);
        self.bar.set_position(present);
        self.bar.reset_elapsed();
    }

    /// Sets the text at the end of the line. `text` is called only if the line is visible.
    pub(crate) fn set_suffix(&self, text: impl FnOnce() -> String) {
        if !self.bar.is_hidden() {
            self.bar.set_prefix(one_line(text()));
        }
    }

    /// Removes the line.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }

    pub(crate) fn advance(&self, by: u64) {
        self.bar.inc(by);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Formats rate and remaining time, ` (5.60 MiB/s, 3s left)`, by the bytes received since the beginning; empty before
/// they say anything.
fn rate(state: &ProgressState, present: u64) -> String {
    let received = state.pos().saturating_sub(present);
    let seconds = state.elapsed().as_secs_f64();
    let left = state.len().unwrap_or(0).saturating_sub(state.pos());
    if received == 0 || seconds < 0.5 || left == 0 {
        return String::new();
    }
    #[expect(clippy::cast_precision_loss, reason = "for people to read")]
    let (received, left) = (received as f64, left as f64);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    let rate = (received / seconds) as u64;
    let left = Duration::try_from_secs_f64(left * seconds / received).unwrap_or(Duration::MAX);
    format!(" ({}/s, {} left)", bytes(rate), HumanDuration(left))
}

/// Formats a size: `512 B`, `3.40 KiB`, `1.20 GiB`.
pub(crate) fn bytes(count: u64) -> String {
    BinaryBytes(count).to_string()
}
