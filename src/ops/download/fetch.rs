//! Fetches objects in stretches, several side by side, and notes what has come.

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
use super::spool::Spool;
use crate::archive::DirHandle;
use crate::cloud::{ByteProgress, Object, Objects};
use crate::error::{Result, WithContext};
use crate::ops::blocking;

/// A stretch is fetched by one request, in bytes. Many small ones keep all connections busy to the end, and lose little when
/// one breaks off; each costs the time of a round trip.
pub(super) const PART: u64 = 4 * 1024 * 1024;
/// How many are on their way at once: at 60 ms a round trip and 30 MB/s a connection, a request's wait is made up for twice
/// over.
const PARALLEL: usize = 16;
/// Bytes of a stretch are gathered until there are so many, or for so long: what a kill loses of each, at most.
const WRITE: usize = 64 * 1024;
const GATHER: Duration = Duration::from_millis(15);

/// An object that is being fetched.
pub(super) struct Item {
    pub(super) object: Arc<Object>,
    /// By which number the journal knows it.
    pub(super) number: usize,
    pub(super) missing: Vec<Range<u64>>,
    pub(super) to: To,
}

/// Where an object's bytes go.
#[derive(Clone)]
pub(super) enum To {
    Spool(Arc<Spool>),
    /// A file of the same size in a folder, which is opened when something comes: there can be millions.
    File(Arc<DirHandle>, Arc<Path>),
}

impl To {
    fn open(&self) -> io::Result<Place> {
        Ok(match self {
            Self::Spool(spool) => Place::Spool(spool.clone()),
            Self::File(folder, path) => {
                Place::File(Arc::new(folder.open_file(path, OFlag::O_WRONLY | OFlag::O_CREAT)?))
            }
        })
    }

    async fn wait_for_room(&self, end: u64) {
        if let Self::Spool(spool) = self {
            spool.wait_for_room(end).await;
        }
    }
}

#[derive(Clone)]
enum Place {
    Spool(Arc<Spool>),
    File(Arc<File>),
}

impl Place {
    fn write(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        match self {
            Self::Spool(spool) => spool.write(bytes, at),
            Self::File(file) => file.write_all_at(bytes, at),
        }
    }
}

/// Fetches what is missing of all of them, in their order.
pub(super) async fn fetch(
    objects: &dyn Objects,
    items: impl Stream<Item = Result<Item>>,
    journal: Option<Arc<Journal>>,
    on_bytes: &ByteProgress,
) -> Result<()> {
    let parts = items.map_ok(|item| stream::iter(parts(item)).map(Ok)).try_flatten();
    let fetched = parts.map_ok(|part| part.fetch(objects, journal.clone(), on_bytes));
    fetched.try_buffer_unordered(PARALLEL).try_collect().await
}

/// The stretches that an object is fetched in. One that is empty is fetched too: it is a file.
fn parts(item: Item) -> impl Iterator<Item = Part> {
    let Item { object, number, missing, to } = item;
    let empty = (object.size == 0).then_some(0..0);
    let count = missing.iter().map(|range| (range.end - range.start).div_ceil(PART)).sum::<u64>();
    let left = Arc::new(AtomicUsize::new(usize::try_from(count).unwrap_or(usize::MAX)));
    let cut = |range: Range<u64>| {
        let end = range.end;
        range.step_by(step()).map(move |start| start..(start + PART).min(end))
    };
    let ranges = missing.into_iter().flat_map(cut).chain(empty);
    ranges.map(move |range| Part { object: object.clone(), number, range, to: to.clone(), left: left.clone() })
}

fn step() -> usize {
    usize::try_from(PART).unwrap_or(usize::MAX)
}

struct Part {
    object: Arc<Object>,
    number: usize,
    range: Range<u64>,
    to: To,
    /// Stretches of the object that have not come yet.
    left: Arc<AtomicUsize>,
}

impl Part {
    async fn fetch(self, objects: &dyn Objects, journal: Option<Arc<Journal>>, on_bytes: &ByteProgress) -> Result<()> {
        self.to.wait_for_room(self.range.end).await;
        let to = self.to.open().context(|| self.writing())?;
        let mut pieces = objects.range(&self.object, self.range.clone());
        let (mut at, mut gathered, mut length, mut since) = (self.range.start, Vec::new(), 0, Instant::now());
        // S3's checksum of a file that comes at once is looked at where the bytes end: nothing is noted before.
        let comes_at_once = matches!(self.to, To::File(..)) && self.range == (0..self.object.size);
        loop {
            let piece = pieces.try_next().await?;
            let is_end = piece.is_none();
            if let Some(piece) = piece {
                length += piece.len();
                gathered.push(piece);
            }
            if length >= WRITE || (length > 0 && (is_end || since.elapsed() >= GATHER)) {
                let write =
                    Write { to: to.clone(), pieces: std::mem::take(&mut gathered), range: at..at + length as u64 };
                self.write(write, journal.clone().filter(|_| !comes_at_once), false).await?;
                on_bytes(length as u64);
                (at, length, since) = (at + length as u64, 0, Instant::now());
            }
            if is_end {
                break;
            }
        }
        if comes_at_once && at > 0 {
            return self.write(Write { to, pieces: Vec::new(), range: self.range.clone() }, journal, true).await;
        }
        let is_last = self.left.fetch_sub(1, Ordering::Relaxed) == 1;
        match journal.filter(|_| is_last && matches!(self.to, To::File(..))) {
            Some(journal) => self.note_whole(journal).await,
            None => Ok(()),
        }
    }

    async fn write(&self, write: Write, journal: Option<Arc<Journal>>, is_whole: bool) -> Result<()> {
        let (number, doing) = (self.number, self.writing());
        blocking(move || {
            let note = |journal: Arc<Journal>| journal.note(number, &write.range, is_whole);
            write.run().and_then(|()| journal.map_or(Ok(()), note)).context(|| doing)
        })
        .await
    }

    async fn note_whole(&self, journal: Arc<Journal>) -> Result<()> {
        let (number, doing) = (self.number, self.writing());
        blocking(move || journal.note_whole(number).context(|| doing)).await
    }

    fn writing(&self) -> String {
        format!("write what comes of {}", self.object.uri)
    }
}

struct Write {
    to: Place,
    pieces: Vec<Bytes>,
    range: Range<u64>,
}

impl Write {
    fn run(&self) -> io::Result<()> {
        let mut at = self.range.start;
        for piece in &self.pieces {
            self.to.write(piece, at)?;
            at += piece.len() as u64;
        }
        Ok(())
    }
}
