//! Errors of packing and unpacking, each with the path it happened at.

use std::io;
use std::path::PathBuf;

use super::pack::exclude_reason::{ExcludeKind, ExcludeReason};
use super::read_error::ReadError;
use super::secrets::secret_files::SecretFiles;
use crate::model::one_line;

/// Reason for which code or a folder was not packed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PackError {
    #[error("{} is not a folder", .0.display())]
    NotAFolder(PathBuf),
    #[error("entry point {entry_point} is not a file in {}", dir.display())]
    EntryPointMissing { entry_point: String, dir: PathBuf },
    #[error("entry point {entry_point} is left out of the code archive by {reason}")]
    EntryPointLeftOut { entry_point: String, reason: ExcludeReason },
    #[error("dependency {} could not be found", path.display())]
    DependencyMissing { path: PathBuf, source: io::Error },
    #[error("there is nothing to pack in {}", .0.display())]
    NothingToPack(PathBuf),
    #[error("could not read {}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("could not read which files git tracks from {}", index.display())]
    GitIndex { index: PathBuf, source: io::Error },
    #[error("{} changed while it was packed", .0.display())]
    Changed(PathBuf),
    #[error("{} is a symbolic link to {}, which does not exist", link.display(), target.display())]
    BrokenLink { link: PathBuf, target: PathBuf },
    #[error("{} is a symbolic link that leads back to itself or to a folder around it", .0.display())]
    LinkLoop(PathBuf),
    #[error("{} is a symbolic link to {}, outside the source folder", link.display(), target.display())]
    LinkOutside { link: PathBuf, target: PathBuf },
    #[error("{} is a symbolic link to {}, outside the project", one_line(link.display()), one_line(target.display()))]
    OutsideProject { link: PathBuf, target: PathBuf },
    #[error("{} and {} would both be {name} in the code archive", first.display(), second.display())]
    Clash { name: String, first: PathBuf, second: PathBuf },
    #[error("the code holds secrets, and none of it was sent:{0}")]
    Secrets(SecretFiles),
    #[error("`{pattern}` in {place} is not a valid pattern: {problem}")]
    BadPattern { pattern: String, place: String, problem: String },
    #[error("could not write the archive")]
    Write(#[source] io::Error),
}

impl PackError {
    /// Returns a closure for `map_err` on an I/O result.
    pub(super) fn unreadable(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Unreadable { path, source }
    }

    /// Returns the hint for the user, if the user can do something about it.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::LinkOutside { .. } => {
                "add the link to source.exclude, or set source.external_symlinks = true to pack what it leads to"
            }
            Self::OutsideProject { .. } => {
                "name what it leads to, or set source.external_symlinks = true to send it all the same"
            }
            Self::BrokenLink { .. } | Self::LinkLoop(_) => "remove the link, or add it to source.exclude",
            Self::EntryPointMissing { .. } => "source.entry_point is relative to source.dir",
            Self::EntryPointLeftOut { reason: ExcludeReason::BuiltIn(found), .. }
                if found.kind == ExcludeKind::Tooling =>
            {
                "move the script to a folder that is packed, and name it there in source.entry_point"
            }
            Self::EntryPointLeftOut { reason: ExcludeReason::BuiltIn(_), .. } => {
                "rename it, or take the secret out of it, or name it in source.allow_secrets"
            }
            Self::Secrets(_) => {
                "have the script fetch them from Secrets Manager, or leave the files out with source.exclude; \
                 source.allow_secrets = [\"PATTERN\"] sends files all the same"
            }
            // source.exclude is applied before the ignore files.
            Self::EntryPointLeftOut { reason: ExcludeReason::Pattern { file: None, .. }, .. } => {
                "take the pattern out of source.exclude"
            }
            Self::EntryPointLeftOut { .. } => "a line `!NAME` in .smtrainignore brings back what a pattern left out",
            Self::DependencyMissing { .. } => "check source.dependencies",
            Self::NothingToPack(_) => "check source.dir, source.exclude, .gitignore and .smtrainignore",
            Self::Clash { .. } => "rename one of them: dependencies lie at the root of the archive",
            Self::Changed(_) => "run the command again when nothing writes to the folder",
            Self::GitIndex { .. } => "see whether git can read it: git status",
            Self::Unreadable { .. } => "make it readable, or add it to source.exclude",
            Self::NotAFolder(_) | Self::BadPattern { .. } | Self::Write(_) => return None,
        })
    }
}

/// Reason for which an archive was not read or unpacked. Files written before the error stay: callers unpack into a
/// fresh folder.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnpackError {
    #[error("the archive is damaged or cut short {place}")]
    Damaged { place: String, source: ReadError },
    /// A file that is not an archive could not be read.
    #[error("the file is damaged")]
    DamagedFile(#[source] io::Error),
    #[error("the archive is followed by data that is no part of it")]
    TrailingData,
    #[error("it is {0}, not a tar.gz")]
    OtherFormat(&'static str),
    #[error("the archive's entry {0} would be written outside the folder")]
    Outside(String),
    #[error("the archive's entry {0} has, or leads to, a name that no file can have")]
    Name(String),
    #[error("the archive's entry {0} leads through a link or a file")]
    ThroughLink(String),
    #[error("the archive's hard link {entry} leads to {target}, outside the folder")]
    LinkOutside { entry: String, target: String },
    #[error("the archive's hard link {entry} leads to {target}, which is not in the archive before it")]
    LinkMissing { entry: String, target: String },
    #[error("the archive's entry {entry} is {kind}, which is not unpacked")]
    Unsupported { entry: String, kind: &'static str },
    #[error("the archive's entries have two names that are one on this file system: {0}")]
    Clash(String),
    #[error("the archive's entry {entry} is another name of {target}")]
    Linked { entry: String, target: String },
    #[error("the archive's entry {0} is no file")]
    NoFile(String),
    #[error("the archive unpacks to more than {0} bytes, with 4096 bytes for each file, folder and link")]
    TooLarge(u64),
    #[error("the archive has more than {0} entries")]
    TooMany(u64),
    #[error("could not write {}", one_line(path.display()))]
    Write { path: PathBuf, source: io::Error },
    /// The caller's output, or its callback, failed: a closed pipe, for example.
    #[error("could not pass it on")]
    Output(#[source] io::Error),
}

impl UnpackError {
    /// Returns whether the bytes are intact as far as they were read, but not a tar archive, or one that programs read
    /// in different ways.
    pub(crate) fn is_malformed(&self) -> bool {
        matches!(self, Self::Damaged { source: ReadError::Malformed(_), .. })
    }

    /// Returns the error of the reader that the archive or file came from, if that is the reason.
    pub(crate) fn input_error(&self) -> Option<&io::Error> {
        match self {
            Self::Damaged { source: ReadError::Io(source), .. } | Self::DamagedFile(source) => Some(source),
            _ => None,
        }
    }
}
