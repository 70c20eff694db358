//! Fetches objects in byte ranges, several at a time, and records them in the journal.
//!
//! All missing ranges of all objects form one stream of requests of [`RANGE_BYTES`], of which [`MAX_CONCURRENT_RANGES`]
//! run concurrently, so that a large object and many small ones both keep the connections busy. The bytes of a range
//! are written in batches; the journal records a batch after it has been written.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use nix::fcntl::OFlag;
use tokio::time::Instant;
use tokio_util::bytes::Bytes;

use super::journal::Journal;
use super::spool::DownloadSpool;
use crate::archive::DirHandle;
use crate::cloud::{ByteProgress, Object, Objects};
use crate::error::{Result, WithContext};
use crate::ops::blocking;

/// Size of the range that one request fetches, in bytes. Small ranges keep all connections busy to the end and lose
/// little when one fails; each costs a round trip.
pub(super) const RANGE_BYTES: u64 = 4 * 1024 * 1024;
/// Maximum number of concurrent requests. At 60 ms per round trip and 30 MB/s per connection, they make up twice for
/// the wait of a request.
const MAX_CONCURRENT_RANGES: usize = 16;
/// Bytes of a range that are gathered before they are written; at most this much of each range is lost by a kill.
const WRITE_BYTES: usize = 64 * 1024;
/// Longest time for which bytes are gathered.
const MAX_WRITE_DELAY: Duration = Duration::from_millis(15);

/// An object to fetch.
pub(super) struct FetchItem {
    pub(super) object: Arc<Object>,
    /// Number of the object in the journal.
    pub(super) number: usize,
    pub(super) missing: Vec<Range<u64>>,
    pub(super) to: FetchTarget,
}

/// Destination of an object's bytes.
#[derive(Clone)]
pub(super) enum FetchTarget {
    Spool(Arc<DownloadSpool>),
    /// A file in a folder, opened when a range of it is fetched: there can be millions.
    File(Arc<DirHandle>, Arc<Path>),
}

impl FetchTarget {
    fn open(&self) -> io::Result<OpenTarget> {
        Ok(match self {
            Self::Spool(spool) => OpenTarget::Spool(spool.clone()),
            Self::File(folder, path) => {
                OpenTarget::File(Arc::new(folder.open_file(path, OFlag::O_WRONLY | OFlag::O_CREAT)?))
            }
        })
    }

    async fn wait_for_room(&self, end: u64) {
        if let Self::Spool(spool) = self {
            spool.wait_for_room(end).await;
        }
    }
}

/// Open destination of a range.
#[derive(Clone)]
enum OpenTarget {
    Spool(Arc<DownloadSpool>),
    File(Arc<File>),
}

impl OpenTarget {
    fn write(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        match self {
            Self::Spool(spool) => spool.write(bytes, at),
            Self::File(file) => file.write_all_at(bytes, at),
        }
    }
}

/// Fetches the missing ranges of all items, in their order. Returns the first error.
pub(super) async fn fetch(
    objects: &dyn Objects,
    items: impl Stream<Item = Result<FetchItem>>,
    journal: Option<Arc<Journal>>,
    on_bytes: &ByteProgress,
) -> Result<()> {
    let ranges = items.map_ok(|item| stream::iter(ranges(item)).map(Ok)).try_flatten();
    let fetched = ranges.map_ok(|range_fetch| range_fetch.fetch(objects, journal.clone(), on_bytes));
    fetched.try_buffer_unordered(MAX_CONCURRENT_RANGES).try_collect().await
}

/// Splits an item into ranges of one request each. An empty object has one empty range, because its file must be
/// created.
fn ranges(item: FetchItem) -> impl Iterator<Item = RangeFetch> {
    let FetchItem { object, number, missing, to } = item;
    let empty = (object.size == 0).then_some(0..0);
    let count = missing.iter().map(|range| (range.end - range.start).div_ceil(RANGE_BYTES)).sum::<u64>();
    let ranges_left = Arc::new(AtomicUsize::new(usize::try_from(count).unwrap_or(usize::MAX)));
    let cut = |range: Range<u64>| {
        let end = range.end;
        range.step_by(step()).map(move |start| start..(start + RANGE_BYTES).min(end))
    };
    let ranges = missing.into_iter().flat_map(cut).chain(empty);
    ranges.map(move |range| RangeFetch {
        object: object.clone(),
        number,
        range,
        to: to.clone(),
        ranges_left: ranges_left.clone(),
    })
}

/// Returns [`RANGE_BYTES`] as a step.
fn step() -> usize {
    usize::try_from(RANGE_BYTES).unwrap_or(usize::MAX)
}

/// A range of an object, fetched with one request.
struct RangeFetch {
    object: Arc<Object>,
    number: usize,
    range: Range<u64>,
    to: FetchTarget,
    /// Number of the object's ranges that are not complete.
    ranges_left: Arc<AtomicUsize>,
}

impl RangeFetch {
    async fn fetch(self, objects: &dyn Objects, journal: Option<Arc<Journal>>, on_bytes: &ByteProgress) -> Result<()> {
        self.to.wait_for_room(self.range.end).await;
        let to = self.to.open().context(|| self.writing())?;
        let mut pieces = objects.range(&self.object, self.range.clone());
        let mut at = self.range.start;
        let mut gathered = Vec::new();
        let mut length = 0;
        let mut since = Instant::now();
        // A file of a single range is verified at the end of its bytes: it is recorded only then.
        let is_single_range = matches!(self.to, FetchTarget::File(..)) && self.range == (0..self.object.size);
        loop {
            let piece = pieces.try_next().await?;
            let is_end = piece.is_none();
            if let Some(piece) = piece {
                length += piece.len();
                gathered.push(piece);
            }
            if length >= WRITE_BYTES || (length > 0 && (is_end || since.elapsed() >= MAX_WRITE_DELAY)) {
                let write =
                    RangeWrite { to: to.clone(), pieces: std::mem::take(&mut gathered), range: at..at + length as u64 };
                self.write(write, journal.clone().filter(|_| !is_single_range), false).await?;
                on_bytes(length as u64);
                at += length as u64;
                length = 0;
                since = Instant::now();
            }
            if is_end {
                break;
            }
        }
        if is_single_range && at > 0 {
            return self.write(RangeWrite { to, pieces: Vec::new(), range: self.range.clone() }, journal, true).await;
        }
        let is_last = self.ranges_left.fetch_sub(1, Ordering::Relaxed) == 1;
        match journal.filter(|_| is_last && matches!(self.to, FetchTarget::File(..))) {
            Some(journal) => self.record_whole(journal).await,
            None => Ok(()),
        }
    }

    async fn write(&self, write: RangeWrite, journal: Option<Arc<Journal>>, is_whole: bool) -> Result<()> {
        let number = self.number;
        let doing = self.writing();
        blocking(move || {
            let record = |journal: Arc<Journal>| journal.record(number, &write.range, is_whole);
            write.run().and_then(|()| journal.map_or(Ok(()), record)).context(|| doing)
        })
        .await
    }

    async fn record_whole(&self, journal: Arc<Journal>) -> Result<()> {
        let number = self.number;
        let doing = self.writing();
        blocking(move || journal.record_whole(number).context(|| doing)).await
    }

    fn writing(&self) -> String {
        format!("write what comes of {}", self.object.uri)
    }
}

/// Bytes to write to a range.
struct RangeWrite {
    to: OpenTarget,
    pieces: Vec<Bytes>,
    range: Range<u64>,
}

impl RangeWrite {
    fn run(&self) -> io::Result<()> {
        let mut at = self.range.start;
        for piece in &self.pieces {
            self.to.write(piece, at)?;
            at += piece.len() as u64;
        }
        Ok(())
    }
}
