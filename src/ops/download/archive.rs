//! One archive: fetched, checked and unpacked at the same time.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::artifacts::Artifact;
use super::checked::Checked;
use super::extents::Extents;
use super::fetch::{Item, To, fetch};
use super::journal::Journal;
use super::partial::{ARCHIVE, FILES, Partial, Target};
use super::spool::{Closing, Spool, SpoolReader};
use super::{Saving, Watch, disk};
use crate::archive::{self, Limits, UnpackError, Unpacked, Unpacking};
use crate::cloud::{Cloud, Object, OnBytes};
use crate::error::{Doing, Error, Kind, Result};
use crate::ops::blocking;

/// An object's bytes, in order, on a blocking thread.
pub(super) type Bytes = Checked<SpoolReader>;

/// What is made of an object's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Making {
    /// The files that an archive holds.
    Tree,
    /// The archive, as it is.
    Archive,
    /// Any other file.
    File,
}

/// Leaves what is made of an object at a path. None, and nothing there, where no file of it is wanted.
pub(super) async fn save(
    cloud: &Cloud,
    object: Object,
    artifact: &Artifact,
    saving: &Saving,
    making: Making,
    path: PathBuf,
) -> Result<Option<Unpacked>> {
    let target = Target::new(path, saving);
    let target = if making == Making::Archive { target.or_unpacked(&artifact.name) } else { target };
    let partial = blocking(move || Partial::open(&target)).await?;
    let maker = Arc::new(Maker { partial, object, artifact: artifact.clone(), saving: saving.clone(), making });
    let (is_resumed, mut made) = maker.clone().make(cloud).await?;
    if is_resumed && matches!(made, Err(Failure { is_suspect: true, .. })) {
        // What an earlier download left may be what is wrong.
        saving.watch.note("what was fetched earlier is damaged: all of it is fetched again");
        maker.partial.clear()?;
        made = maker.clone().make(cloud).await?.1;
    }
    maker.end(made)
}

/// Why something could not be made of the bytes.
struct Failure {
    error: Error,
    /// The bytes are not what they should be.
    is_damaged: bool,
    /// They may not be, if they were fetched earlier.
    is_suspect: bool,
    /// The bytes are what they should be, and not to be unpacked as they are.
    is_refused: bool,
}

/// Hints at how a refused archive can be fetched all the same.
const OTHERWISE: &str = "`smtrain download` with --archive, or with --only,";

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, is_damaged: false, is_suspect: false, is_refused: false }
    }
}

struct Maker {
    partial: Partial,
    object: Object,
    artifact: Artifact,
    saving: Saving,
    making: Making,
}

impl Maker {
    /// Whether some of it had been fetched before, and what came of it.
    async fn make(self: Arc<Self>, cloud: &Cloud) -> Result<(bool, std::result::Result<Unpacked, Failure>)> {
        let maker = self.clone();
        let Prepared { spool, journal, there, limits } = blocking(move || maker.prepare()).await?;
        let kept_in = journal.is_some().then(|| self.partial.path());
        self.saving.watch.begins(&self.artifact.what, self.object.size, there, kept_in);
        let reader = Checked::new(SpoolReader::new(spool.clone()), self.object.checksum.clone());
        let maker = self.clone();
        let work = async move {
            let worked = tokio::task::spawn_blocking(move || maker.make_of(reader, &limits)).await;
            worked.doing(|| "finish the work".to_owned())?
        };
        let made = while_fetching(cloud, &self.object, spool, journal, &on_bytes(&self.saving.watch), work).await;
        let is_local = self.object.file.is_some();
        Ok((there > 0 && !is_local, made))
    }

    fn prepare(&self) -> Result<Prepared> {
        self.partial.clear_files()?;
        let object = &self.object;
        if let (Some(file), Making::Tree) = (&object.file, &self.making) {
            let limits = self.limits(0)?;
            let spool = Arc::new(Spool::kept(file.clone(), object.size, whole(object.size)));
            return Ok(Prepared { spool, journal: None, there: object.size, limits });
        }
        let doing = || format!("write what is fetched to {}", self.partial.path().display());
        let (journal, known) = Journal::begin(self.partial.handle(), std::iter::once(object)).doing(doing)?;
        let file = self.partial.open_archive()?;
        let mut there = known.into_iter().next().unwrap_or_default();
        let length = file.metadata().doing(doing)?.len();
        if there.iter().any(|range| range.end > length) {
            there = Extents::default();
        }
        let limits = self.limits(object.size - there.total())?;
        let (total, spool) = (there.total(), Spool::kept(Arc::new(file), object.size, there));
        Ok(Prepared { spool: Arc::new(spool), journal: Some(Arc::new(journal)), there: total, limits })
    }

    /// To how much the archive may unpack, so many bytes being still to be fetched.
    fn limits(&self, to_fetch: u64) -> Result<Limits> {
        let free = disk::free(self.partial.handle(), self.partial.path())?;
        disk::check(free.bytes, to_fetch, &self.object.uri)?;
        let room = || disk::usable(free.bytes).saturating_sub(to_fetch);
        let limits = Limits { packed_from: self.artifact.packed_from, ..Limits::default() };
        let entries = free.entries.map_or(limits.entries, |entries| limits.entries.min(entries));
        Ok(Limits { bytes: self.saving.max_size.unwrap_or_else(room), entries, ..limits })
    }

    fn make_of(&self, bytes: Bytes, limits: &Limits) -> std::result::Result<Unpacked, Failure> {
        match self.making {
            Making::Tree => {
                let files = self.partial.open_files()?;
                let path = self.partial.path().join(FILES);
                let mut told = Told { saving: &self.saving, what: &self.artifact.what };
                let unpacked = archive::unpack_in(bytes, files, &path, limits, &mut told);
                unpacked.map_err(|error| self.failure(error))
            }
            Making::Archive => archive::check(bytes).map(|()| self.one_file()).map_err(|error| self.failure(error)),
            Making::File => {
                let read = io::copy(&mut { bytes }, &mut io::sink());
                read.map(|_| self.one_file()).map_err(|error| self.failure(UnpackError::DamagedFile(error)))
            }
        }
    }

    /// Of what `--only` names.
    fn holds_nothing(&self) -> Result<bool> {
        if self.making != Making::Tree || self.saving.only.is_none() {
            return Ok(false);
        }
        let entries = self.partial.open_files()?.entries(1);
        Ok(entries.doing(|| format!("list what was unpacked to {}", self.partial.path().display()))?.is_empty())
    }

    fn one_file(&self) -> Unpacked {
        Unpacked { files: 1, bytes: self.object.size, ..Unpacked::default() }
    }

    fn failure(&self, error: UnpackError) -> Failure {
        let doing = if self.making == Making::Tree { "unpack" } else { "fetch" };
        let (is_damaged, is_refused) = (is_damaged(&error), is_refused(&error));
        let is_suspect = is_damaged || error.is_malformed();
        Failure { error: could_not(doing, &self.object, error), is_damaged, is_suspect, is_refused }
    }

    fn end(&self, made: std::result::Result<Unpacked, Failure>) -> Result<Option<Unpacked>> {
        match made {
            Ok(Unpacked { left_out, .. }) if left_out.is_empty() && self.holds_nothing()? => {
                self.partial.clear()?;
                Ok(None)
            }
            Ok(unpacked) => {
                let is_tree = self.making == Making::Tree;
                self.partial.finish(if is_tree { FILES } else { ARCHIVE })?;
                Ok(Some(unpacked))
            }
            Err(Failure { error, is_damaged, is_refused, .. }) => {
                if is_damaged {
                    self.partial.clear()?;
                }
                // The same command would be refused again.
                let hinted = if is_refused { self.partial.hint_at(error, OTHERWISE) } else { self.partial.hint(error) };
                Err(hinted)
            }
        }
    }
}

struct Prepared {
    spool: Arc<Spool>,
    journal: Option<Arc<Journal>>,
    /// Bytes that need not be fetched.
    there: u64,
    /// To how much it may unpack.
    limits: Limits,
}

fn whole(size: u64) -> Extents {
    let mut extents = Extents::default();
    extents.add(0..size);
    extents
}

pub(super) fn on_bytes(watch: &Arc<dyn Watch>) -> OnBytes {
    let watch = watch.clone();
    Arc::new(move |bytes| watch.fetched(bytes))
}

/// Reads an object's bytes without keeping them.
pub(super) async fn read<T: Send + 'static>(
    cloud: &Cloud,
    object: &Object,
    watch: &Arc<dyn Watch>,
    work: impl FnOnce(Bytes) -> std::result::Result<T, UnpackError> + Send + 'static,
) -> Result<T> {
    let spool = match &object.file {
        Some(file) => Spool::kept(file.clone(), object.size, whole(object.size)),
        None => Spool::passing(object.size).doing(|| "create a temporary file".to_owned())?,
    };
    let spool = Arc::new(spool);
    let reader = Checked::new(SpoolReader::new(spool.clone()), object.checksum.clone());
    watch.begins("reading", object.size, 0, None);
    let (of, shared) = (object.clone(), spool.clone());
    let work = async move {
        let worked = tokio::task::spawn_blocking(move || work(reader).map_err(|error| could_not("read", &of, error)));
        Ok::<T, Failure>(worked.await.doing(|| "finish the work".to_owned())??)
    };
    let read = while_fetching(cloud, object, shared, None, &on_bytes(watch), work).await;
    read.map_err(|failure| failure.error)
}

/// Works on the bytes while they come. Whichever ends first with an error ends the other; where the work needs no more
/// bytes, none are fetched.
async fn while_fetching<T>(
    cloud: &Cloud,
    object: &Object,
    spool: Arc<Spool>,
    journal: Option<Arc<Journal>>,
    on_bytes: &OnBytes,
    work: impl Future<Output = std::result::Result<T, Failure>>,
) -> std::result::Result<T, Failure> {
    let missing = spool.missing();
    let closing = Closing(spool.clone());
    let item = Item { object: Arc::new(object.clone()), number: 0, missing, to: To::Spool(spool) };
    let fetching = fetch(&*cloud.objects, vec![item], journal, on_bytes);
    tokio::pin!(work);
    tokio::select! {
        biased;
        worked = &mut work => worked,
        fetched = fetching => match fetched {
            Ok(()) => work.await,
            Err(error) => {
                drop(closing);
                // It fails for want of bytes: that is not why.
                let _for_want_of_bytes = work.await;
                Err(error.into())
            }
        },
    }
}

/// Who is told of what is unpacked.
struct Told<'s> {
    saving: &'s Saving,
    what: &'s str,
}

impl Unpacking for Told<'_> {
    fn wants(&mut self, path: &Path) -> bool {
        self.saving.wants(path)
    }

    fn written(&mut self, bytes: u64) {
        self.saving.watch.unpacked(bytes);
    }

    fn digests(&self) -> bool {
        self.saving.watch.digests()
    }

    fn file(&mut self, path: &Path, size: u64, sha256: Option<[u8; 32]>) -> io::Result<()> {
        self.saving.watch.file(self.what, path, size, sha256)
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}

/// Whether the bytes are not what they should be.
fn is_damaged(error: &UnpackError) -> bool {
    let is_any = matches!(error, UnpackError::Damaged { .. } | UnpackError::DamagedFile(_) | UnpackError::TrailingData);
    is_any && !error.is_malformed()
}

/// Returns whether the same bytes would be refused again.
fn is_refused(error: &UnpackError) -> bool {
    use UnpackError as E;
    match error {
        E::Damaged { .. } => error.is_malformed(),
        E::Outside(_)
        | E::Name(_)
        | E::ThroughLink(_)
        | E::LinkOutside { .. }
        | E::LinkMissing { .. }
        | E::Unsupported { .. }
        | E::Clash(_)
        | E::TooMany(_) => true,
        E::DamagedFile(_)
        | E::TrailingData
        | E::Linked { .. }
        | E::NoFile(_)
        | E::TooLarge(_)
        | E::Write { .. }
        | E::Told(_) => false,
    }
}

/// An archive's error, with what to do about it.
fn could_not(doing: &str, object: &Object, error: UnpackError) -> Error {
    let hint = match &error {
        UnpackError::TooLarge(_) => "allow more by --max-size SIZE, on a disk that has the room",
        error if is_damaged(error) && object.checksum.is_some() => {
            "what is stored there is damaged itself, if its checksum is right: train again, or ask who made it"
        }
        error if is_damaged(error) => "what is stored there is no whole tar.gz: train again, or ask who made it",
        error if error.is_malformed() => "what was compressed is no sound tar archive: --archive keeps it as it is",
        UnpackError::Write { source, .. } if is_full(source) => "make room, or choose another folder with -d DIR",
        UnpackError::Write { .. } => "choose another folder, on another file system, with -d DIR",
        UnpackError::Linked { .. } => "ask for that one",
        UnpackError::NoFile(_) | UnpackError::Told(_) => "see what is inside with --list",
        UnpackError::LinkMissing { .. } => "--only PATTERN unpacks the other files, and --archive keeps it as it is",
        UnpackError::TooMany(_) => "--only PATTERN unpacks some of it, and --archive keeps it as it is",
        _ => "smtrain unpacks no archive that could do harm; --archive keeps it as it is",
    };
    let kind = match &error {
        UnpackError::Told(source) if source.kind() == io::ErrorKind::BrokenPipe => Kind::ClosedPipe,
        _ => Kind::Failure,
    };
    Error::new(kind, format!("could not {doing} {}", object.uri)).caused_by(error).hint(hint)
}
