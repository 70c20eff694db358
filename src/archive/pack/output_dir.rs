//! Packs a folder of results as SageMaker packs model.tar.gz and output.tar.gz: everything in it, with modes, times and
//! links.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::stable_file::{self, SteadyReader};
use crate::archive::PackError;
use crate::archive::gzip::writer::{self, GzipWriter};
use crate::archive::tar::writer::{Attributes, TarWriter};

/// Totals of a packed folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PackedFolder {
    /// Number of regular files.
    pub(crate) files: usize,
    /// Size of the regular files.
    pub(crate) bytes: u64,
    /// Number of sockets, fifos and devices, which have no content to keep.
    pub(crate) skipped: usize,
}

/// Writes the content of `dir` as a tar.gz with names relative to it. Links are packed as links. Fails if a file
/// changes meanwhile.
pub(crate) fn pack_folder(dir: &Path, to: &mut dyn Write) -> Result<PackedFolder, PackError> {
    if !fs::metadata(dir).map_err(PackError::unreadable(dir))?.is_dir() {
        return Err(PackError::NotAFolder(dir.to_owned()));
    }
    let archive = TarWriter::new(GzipWriter::new(to, writer::default_threads()));
    let mut packing = FolderPacker { dir, archive, packed: PackedFolder::default(), levels: Vec::new() };
    packing.descend(PathBuf::new())?;
    while let Some((folder, names)) = packing.levels.last_mut() {
        match names.next() {
            Some(name) => {
                let name = folder.join(name);
                packing.add(name)?;
            }
            None => drop(packing.levels.pop()),
        }
    }
    packing.archive.finish().and_then(GzipWriter::finish).map_err(PackError::Write)?;
    Ok(packing.packed)
}

struct FolderPacker<'a, W: Write> {
    dir: &'a Path,
    archive: TarWriter<GzipWriter<W>>,
    packed: PackedFolder,
    /// The folders between the root and the current entry, each with the names still to be packed.
    levels: Vec<(PathBuf, std::vec::IntoIter<OsString>)>,
}

impl<W: Write> FolderPacker<'_, W> {
    fn add(&mut self, name: PathBuf) -> Result<(), PackError> {
        let path = self.dir.join(&name);
        let metadata = fs::symlink_metadata(&path).map_err(PackError::unreadable(&path))?;
        let with = attributes(&metadata);
        if metadata.is_dir() {
            self.archive.folder(&name, with).map_err(PackError::Write)?;
            self.descend(name)
        } else if metadata.is_symlink() {
            let target = fs::read_link(&path).map_err(PackError::unreadable(&path))?;
            self.archive.symlink(&name, target.as_os_str(), with).map_err(PackError::Write)
        } else if metadata.is_file() {
            self.add_file(&name, path, &metadata)
        } else {
            self.packed.skipped += 1;
            Ok(())
        }
    }

    fn add_file(&mut self, name: &Path, path: PathBuf, metadata: &Metadata) -> Result<(), PackError> {
        let file: File = stable_file::open(&path).map_err(PackError::unreadable(&path))?;
        if !stable_file::is_same(&file, metadata).map_err(PackError::unreadable(&path))? {
            return Err(PackError::Changed(path));
        }
        let mut reader = SteadyReader::new(file, &path)?;
        let size = reader.size();
        let added = self.archive.file(name, attributes(metadata), size, &mut reader);
        added.map_err(|error| reader.take_failure().unwrap_or(PackError::Write(error)))?;
        reader.check_unchanged()?;
        self.packed.files += 1;
        self.packed.bytes += size;
        Ok(())
    }

    fn descend(&mut self, name: PathBuf) -> Result<(), PackError> {
        let path = self.dir.join(&name);
        let entries = fs::read_dir(&path).map_err(PackError::unreadable(&path))?;
        let names: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.file_name())).collect();
        let mut names = names.map_err(PackError::unreadable(&path))?;
        names.sort_unstable();
        self.levels.push((name, names.into_iter()));
        Ok(())
    }
}

fn attributes(metadata: &Metadata) -> Attributes {
    // The header has no times before 1970.
    Attributes { mode: metadata.mode() & 0o7777, mtime: u64::try_from(metadata.mtime()).unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::archive::{UnpackLimits, unpack};
    use crate::tests::TestResult;

    #[test]
    fn a_folder_comes_back_as_it_was() -> TestResult {
        let (from, into) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let (from, into) = (from.path(), into.path());
        let long = "long".repeat(40);
        fs::create_dir_all(from.join("ckpt/empty"))?;
        fs::write(from.join(".env"), "nothing is ignored here")?;
        fs::write(from.join("ckpt").join(&long), "weights")?;
        fs::write(from.join("run.sh"), "#!/bin/sh")?;
        fs::set_permissions(from.join("run.sh"), fs::Permissions::from_mode(0o751))?;
        symlink("ckpt/".to_owned() + &long, from.join("best"))?;
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        File::options().write(true).open(from.join("run.sh"))?.set_modified(time)?;

        let mut archive = Vec::new();
        let packed = pack_folder(from, &mut archive)?;
        assert_eq!(packed, PackedFolder { files: 3, bytes: 39, skipped: 0 });
        let unpacked = unpack(std::io::Cursor::new(archive), into, &UnpackLimits::default(), &mut ())?;
        assert_eq!((unpacked.files, unpacked.bytes), (3, 39));

        assert!(into.join("ckpt/empty").is_dir());
        assert_eq!(fs::read_to_string(into.join("best"))?, "weights");
        assert_eq!(fs::read_link(into.join("best"))?, Path::new("ckpt").join(&long));
        let script = fs::metadata(into.join("run.sh"))?;
        assert_eq!((script.mode() & 0o777, script.modified()?), (0o751, time));
        Ok(())
    }

    #[test]
    fn names_have_no_dot_in_front_and_special_files_are_passed_over() -> TestResult {
        let from = tempfile::tempdir()?;
        fs::write(from.path().join("model.bin"), "m")?;
        nix::unistd::mkfifo(&from.path().join("fifo"), nix::sys::stat::Mode::S_IRWXU)?;
        let mut archive = Vec::new();
        assert_eq!(pack_folder(from.path(), &mut archive)?.skipped, 1);
        let mut tar = Vec::new();
        flate2::read::GzDecoder::new(&archive[..]).read_to_end(&mut tar)?;
        assert!(tar.starts_with(b"model.bin\0"));
        Ok(())
    }

    #[test]
    fn an_empty_folder_is_an_archive_too_and_a_missing_one_is_an_error() -> TestResult {
        let (from, into) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let mut archive = Vec::new();
        pack_folder(from.path(), &mut archive)?;
        assert_eq!(unpack(std::io::Cursor::new(archive), into.path(), &UnpackLimits::default(), &mut ())?.files, 0);
        let missing = pack_folder(&from.path().join("no"), &mut Vec::new());
        assert!(matches!(missing, Err(PackError::Unreadable { .. })));
        Ok(())
    }
}
