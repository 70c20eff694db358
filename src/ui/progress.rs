//! A line on stderr that shows how far something has come; nothing where stderr is no terminal.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{BinaryBytes, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::model::one_line;

/// How often the line moves while nothing comes.
const TICK: Duration = Duration::from_millis(120);

/// Gone from the screen once it is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    /// How far it was when it began.
    there: Arc<AtomicU64>,
}

impl Progress {
    /// A step of unknown length that counts bytes: `⠋ packing the code 1.2 MiB (3.4 MiB/s)`.
    pub(super) fn of_bytes(title: &str, visible: bool) -> Self {
        Self::new(title, "{spinner} {msg} {binary_bytes} ({binary_bytes_per_sec})", visible)
    }

    /// Something that is waited for: `⠋ Training 45s`.
    pub(super) fn of_time(title: &str, visible: bool) -> Self {
        Self::new(title, "{spinner} {msg} {elapsed}", visible)
    }

    /// Bytes that are fetched, and what is made of them: `⠋ model ━━━╸    1.2 MiB/3.4 MiB (5.6 MiB/s, 3s left) 4 MiB unpacked`.
    pub(super) fn of_download(visible: bool) -> Self {
        let progress = Self::new("", "{spinner} {msg}", visible);
        let style = ProgressStyle::with_template(
            "{spinner} {msg} {wide_bar} {binary_bytes}/{binary_total_bytes}{pace} {prefix}",
        );
        if let Ok(style) = style {
            let there = progress.there.clone();
            let pace = move |state: &ProgressState, to: &mut dyn Write| {
                let _always = write!(to, "{}", pace(state, there.load(Ordering::Relaxed)));
            };
            progress.bar.set_style(style.progress_chars("━╸ ").with_key("pace", pace));
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
            bar.enable_steady_tick(TICK);
        }
        Self { bar, there: Arc::default() }
    }

    /// Takes the line away while something else is printed.
    pub(crate) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    /// The next step of the work goes by another title.
    pub(crate) fn advance_in(&self, title: &str, by: u64) {
        let title = one_line(title);
        if self.bar.message() != title {
            self.bar.set_message(title);
            self.bar.reset();
        }
        self.bar.inc(by);
    }

    /// Something of a known size begins, part of which is there already.
    pub(crate) fn begin(&self, title: &str, size: u64, there: u64) {
        self.bar.set_message(one_line(title));
        self.bar.set_length(size);
        self.there.store(there, Ordering::Relaxed);
        self.bar.set_position(there);
        self.bar.reset_elapsed();
    }

    /// What is said at the line's end; only made where it is seen.
    pub(crate) fn tell(&self, text: impl FnOnce() -> String) {
        if !self.bar.is_hidden() {
            self.bar.set_prefix(one_line(text()));
        }
    }

    /// Takes the line away for good.
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

/// ` (5.60 MiB/s, 3s left)`, by what has come since it began; nothing while that says nothing.
fn pace(state: &ProgressState, there: u64) -> String {
    let (came, seconds) = (state.pos().saturating_sub(there), state.elapsed().as_secs_f64());
    let left = state.len().unwrap_or(0).saturating_sub(state.pos());
    if came == 0 || seconds < 0.5 || left == 0 {
        return String::new();
    }
    #[expect(clippy::cast_precision_loss, reason = "for people to read")]
    let (came, left) = (came as f64, left as f64);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    let rate = (came / seconds) as u64;
    let left = Duration::try_from_secs_f64(left * seconds / came).unwrap_or(Duration::MAX);
    format!(" ({}/s, {} left)", bytes(rate), HumanDuration(left))
}

/// `512 B`, `3.40 KiB`, `1.20 GiB`.
pub(crate) fn bytes(count: u64) -> String {
    BinaryBytes(count).to_string()
}
